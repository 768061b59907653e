"""Batches and loss of the painted network."""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.families.mini.features import GRID
from backend.networks.mini.field_denoiser import LATENT_SCALE, DenoiserInputs, FieldDenoiser
from backend.training.mini.augment import apply_colors, color_matrix
from backend.training.mini.shard_dataset import Store


class Batch(NamedTuple):
    """The network's inputs (see ``FieldDenoiser.condition``), the clean latent, its weights (B, 1, F, F), sigma (B,) and
    noise.
    """

    shown: DenoiserInputs
    anchor: Tensor
    drop: Tensor
    clean: Tensor
    weight: Tensor
    sigma: Tensor
    noise: Tensor


FLAT_SHARE = 0.2
"""Nearly flat sets are taken this often."""


def is_shaded(row: dict[str, np.ndarray]) -> bool:
    """Whether colors differ from their region's by 4/255 on average on the figure, or by 8/255 on the whole picture."""
    depth = np.abs(row["residual"].astype(np.float32)).mean(-1)
    known = row["known"] / np.float32(255)
    figure = known * (row["mask"][2::4, 2::4] > 127)
    return any((depth * w).sum() > least * w.sum() > 0 for w, least in ((figure, 4), (known, 8)))


class PaintedTask:
    """Draws augmented batches and scores the network on them.

    The anchor is the picture's true flats; a share of the regions gets a wrong color, with the shading scaled to it, so that
    the network learns to shade whatever flats it is given and never to argue with them.
    """

    def __init__(self, store: Store, batch_size: int = 16, withheld: float = 0.12, unmasked: float = 0.12) -> None:
        self.store, self.batch_size, self.withheld, self.unmasked = store, batch_size, withheld, unmasked

    def network(self) -> FieldDenoiser:
        """A fresh network."""
        return FieldDenoiser()

    def batch(self, rng: np.random.Generator) -> Batch:
        """``batch_size`` sets at random, each at a random noise level."""
        rows = [painted_item(self._draw(rng), rng, self.unmasked) for _ in range(self.batch_size)]
        stacked = {k: torch.from_numpy(np.stack([r[k] for r in rows])) for k in rows[0]}
        drop = torch.from_numpy(rng.random(self.batch_size) < self.withheld)
        # a quarter of the levels at full noise: that is where sampling starts, with nothing to lean on
        sigma = np.where(rng.random(self.batch_size) < 0.25, 1.0, rng.uniform(0.02, 1, self.batch_size))
        noise = rng.standard_normal(stacked["clean"].shape, np.float32)
        return Batch(
            DenoiserInputs(*(stacked[name] for name in DenoiserInputs._fields)),
            stacked["anchor"],
            drop,
            stacked["clean"],
            stacked["weight"],
            torch.from_numpy(sigma.astype(np.float32)),
            torch.from_numpy(noise),
        )

    def _draw(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """A set, most often one with shading worth learning: half are nearly flat, and flats have a finish of their own."""
        while True:
            row = self.store.draw(rng)
            if "warped" not in row:
                raise ValueError("no flats network has looked at these drawings yet (linewash train look)")
            if rng.random() < FLAT_SHARE or is_shaded(row):
                return row

    def loss(self, network: FieldDenoiser, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Weighted squared error of the clean latent, over max(sigma^2, 1/4); figures: at full noise, below, of zero."""
        sigma = batch.sigma[:, None, None, None]
        noisy = (1 - sigma) * batch.clean + sigma * batch.noise
        given = network.condition(batch.shown, batch.anchor, batch.drop)
        guess = network(noisy, batch.sigma, given)
        error = (F.smooth_l1_loss(guess, batch.clean, reduction="none", beta=1.0) * 2 * batch.weight).mean((1, 2, 3))
        loss = (error / (batch.sigma**2).clamp_min(0.25)).mean()
        with torch.no_grad():
            full = batch.sigma == 1
            square = ((guess - batch.clean) ** 2 * batch.weight).mean((1, 2, 3))
            zero = (batch.clean**2 * batch.weight).mean()
            figures = {
                "full": float(square[full].mean()) if bool(full.any()) else float("nan"),
                "below": float(square[~full].mean()) if bool((~full).any()) else float("nan"),
                "zero": float(zero),
            }
        return loss, figures


def painted_item(row: dict[str, np.ndarray], rng: np.random.Generator, unmasked: float) -> dict[str, np.ndarray]:
    """One augmented set: the fields of ``DenoiserInputs``, anchor, clean latent and weight, channels first."""
    n = int(row["count"])
    matrix = color_matrix(rng, 0.5)
    colors = apply_colors(matrix, row["colors"][:n])
    wrong = colors.copy()
    if rng.random() < 0.5:
        chosen = rng.random(n) < rng.uniform(0, 0.5)
        wrong[chosen] = colors[rng.integers(n, size=int(chosen.sum()))]
    true_anchor, anchor = (_drawn(c, row["labels"]) for c in (colors, wrong))
    shade = row["residual"].astype(np.float32) / 255 @ matrix.T
    shade = shade * np.clip((anchor + 0.1) / (true_anchor + 0.1), 0.4, 1.5)
    clean = (np.clip(anchor + shade, 0, 1) - anchor) / LATENT_SCALE
    small = cv2.resize(row["mask"], (GRID, GRID), interpolation=cv2.INTER_AREA) / np.float32(255)
    figure = cv2.resize(row["refmask"], (32, 32), interpolation=cv2.INTER_AREA) / np.float32(255)
    picture = apply_colors(matrix, row["refsmall"])
    found = (row["warped"] / 255).astype(np.float32)
    warped = np.concatenate([apply_colors(matrix, found[..., :3]), found[..., 3:]], -1)
    ink = row["ink"] / np.float32(255) * np.float32(rng.uniform(0.6, 1.3))
    weight = row["known"] / np.float32(255)
    if rng.random() < unmasked:
        small, figure = np.full_like(small, 0.5), np.full_like(figure, 0.5)
    if rng.random() < 0.5:
        ink, small, anchor, clean, weight, warped = (a[:, ::-1] for a in (ink, small, anchor, clean, weight, warped))
    if rng.random() < 0.5:
        picture, figure = picture[:, ::-1], figure[:, ::-1]
    first = {
        "ink": ink[None],
        "mask": small[None],
        "anchor": anchor.transpose(2, 0, 1),
        "reference": picture.transpose(2, 0, 1),
    }
    second = {
        "warped_colors": warped.transpose(2, 0, 1),
        "reference_mask": figure[None],
        "clean": clean.transpose(2, 0, 1),
        "weight": 0.05 + 0.95 * weight[None],
    }
    return {k: np.ascontiguousarray(np.minimum(v, 1) if k == "ink" else v, np.float32) for k, v in (first | second).items()}


def _drawn(colors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Region colors (n, 3) 0..1 drawn at field size (GRID, GRID, 3)."""
    return cv2.resize(colors[np.minimum(labels, len(colors) - 1)], (GRID, GRID), interpolation=cv2.INTER_AREA)
