"""Batches and loss of the painted network."""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.families.mini.features import GRID
from backend.networks.mini.field_denoiser import LATENT_SCALE, DenoiserInputs, FieldDenoiser
from backend.training.mini.augment import apply_color_matrix, random_color_matrix
from backend.training.mini.shard_dataset import ExampleArrays, ShardDataset


class Batch(NamedTuple):
    """The network's inputs (see ``FieldDenoiser.condition``), and the clean latent that it is to predict."""

    inputs: DenoiserInputs
    anchor: Tensor
    """(B, 3, F, F) the flats that the latent is relative to."""
    drop: Tensor
    """(B,) bool: where the reference is dropped."""
    clean: Tensor
    """(B, 3, F, F) the clean latent."""
    weight: Tensor
    """(B, 1, F, F) of each cell in the loss."""
    sigma: Tensor
    """(B,) noise level."""
    noise: Tensor
    """(B, 3, F, F)."""


FLAT_SHARE = 0.2
"""Probability that an example with hardly any shading is taken all the same."""


def is_shaded(example: ExampleArrays) -> bool:
    """Whether colors differ from their region's by 4/255 on average in the foreground, or by 8/255 in the whole image."""
    depth = np.abs(example["residual"].astype(np.float32)).mean(-1)
    known = example["known"] / np.float32(255)
    foreground = known * (example["mask"][2::4, 2::4] > 127)
    return any((depth * weight).sum() > least * weight.sum() > 0 for weight, least in ((foreground, 4), (known, 8)))


class PaintedTask:
    """Draws augmented batches and computes the painted network's loss on them.  See ``engine.task.Task``.

    The anchor is the true flats of the drawing, but some regions get a wrong color, with the shading scaled to it.  So the
    network learns to shade whatever flats it is given and never to change their color.
    """

    def __init__(
        self, dataset: ShardDataset, batch_size: int = 16, reference_dropout: float = 0.12, mask_dropout: float = 0.12
    ) -> None:
        """reference_dropout, mask_dropout: shares of the examples whose reference or masks are dropped."""
        self.dataset, self.batch_size = dataset, batch_size
        self.reference_dropout, self.mask_dropout = reference_dropout, mask_dropout

    def network(self) -> FieldDenoiser:
        """A new network."""
        return FieldDenoiser()

    def batch(self, rng: np.random.Generator) -> Batch:
        """``batch_size`` random examples, each at a random noise level."""
        examples = [make_painted_example(self._sample(rng), rng, self.mask_dropout) for _ in range(self.batch_size)]
        stacked = {k: torch.from_numpy(np.stack([example[k] for example in examples])) for k in examples[0]}
        drop = torch.from_numpy(rng.random(self.batch_size) < self.reference_dropout)
        # a quarter of the noise levels are 1: that is where sampling starts, with nothing but the condition to go by
        sigma = np.where(rng.random(self.batch_size) < 0.25, 1.0, rng.uniform(0.02, 1, self.batch_size))
        noise = rng.standard_normal(stacked["clean"].shape, np.float32)
        return Batch(
            DenoiserInputs(
                ink=stacked["ink"],
                mask=stacked["mask"],
                warped_colors=stacked["warped"],
                reference=stacked["reference"],
                reference_mask=stacked["reference_mask"],
            ),
            stacked["anchor"],
            drop,
            stacked["clean"],
            stacked["weight"],
            torch.from_numpy(sigma.astype(np.float32)),
            torch.from_numpy(noise),
        )

    def _sample(self, rng: np.random.Generator) -> ExampleArrays:
        """An example, most often one with shading to learn: half have hardly any, and flats have a finish of their own."""
        while True:
            example = self.dataset.sample(rng)
            if "warped" not in example:
                raise ValueError("the warped colors of these drawings are not computed yet (linewash train precompute-warps)")
            if rng.random() < FLAT_SHARE or is_shaded(example):
                return example

    def loss(self, network: FieldDenoiser, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Weighted smooth L1 error of the clean latent, over max(sigma^2, 1/4).

        Metrics: weighted squared errors at sigma 1 (full_noise), at lower levels (partial_noise), and of predicting zero.
        """
        sigma = batch.sigma[:, None, None, None]
        noisy = (1 - sigma) * batch.clean + sigma * batch.noise
        condition = network.condition(batch.inputs, batch.anchor, batch.drop)
        predicted = network(noisy, batch.sigma, condition)
        # Times 2, as smooth L1 is half the square of small errors.
        error = (F.smooth_l1_loss(predicted, batch.clean, reduction="none", beta=1.0) * 2 * batch.weight).mean((1, 2, 3))
        # Errors at low noise are small and count more, but at most four times as much.
        loss = (error / (batch.sigma**2).clamp_min(0.25)).mean()
        with torch.no_grad():
            full = batch.sigma == 1
            squared = ((predicted - batch.clean) ** 2 * batch.weight).mean((1, 2, 3))
            metrics = {
                "full_noise": float(squared[full].mean()) if bool(full.any()) else float("nan"),
                "partial_noise": float(squared[~full].mean()) if bool((~full).any()) else float("nan"),
                "zero": float((batch.clean**2 * batch.weight).mean()),
            }
        return loss, metrics


def make_painted_example(example: ExampleArrays, rng: np.random.Generator, mask_dropout: float) -> dict[str, np.ndarray]:
    """The arrays of one augmented example, float32, channels first; see ``DenoiserInputs`` and ``Batch``."""
    n = int(example["count"])
    matrix = random_color_matrix(rng, 0.5)
    colors = apply_color_matrix(matrix, example["colors"][:n])
    # half of the examples get wrong colors in up to half of their regions
    anchor_colors = colors.copy()
    if rng.random() < 0.5:
        wrong = rng.random(n) < rng.uniform(0, 0.5)
        anchor_colors[wrong] = colors[rng.integers(n, size=int(wrong.sum()))]
    true_anchor, anchor = (_fill_field(c, example["labels"]) for c in (colors, anchor_colors))
    shading = example["residual"].astype(np.float32) / 255 @ matrix.T
    shading = shading * np.clip((anchor + 0.1) / (true_anchor + 0.1), 0.4, 1.5)  # dark colors are shaded less
    clean = (np.clip(anchor + shading, 0, 1) - anchor) / LATENT_SCALE
    mask = cv2.resize(example["mask"], (GRID, GRID), interpolation=cv2.INTER_AREA) / np.float32(255)
    reference_mask = cv2.resize(example["refmask"], (32, 32), interpolation=cv2.INTER_AREA) / np.float32(255)
    reference = apply_color_matrix(matrix, example["refsmall"])
    warped = (example["warped"] / 255).astype(np.float32)
    warped = np.concatenate([apply_color_matrix(matrix, warped[..., :3]), warped[..., 3:]], -1)
    ink = np.minimum(example["ink"] / np.float32(255) * np.float32(rng.uniform(0.6, 1.3)), 1)
    weight = 0.05 + 0.95 * (example["known"] / np.float32(255))
    # 0.5 everywhere means that the masks are unknown.
    if rng.random() < mask_dropout:
        mask, reference_mask = np.full_like(mask, 0.5), np.full_like(reference_mask, 0.5)
    if rng.random() < 0.5:
        ink, mask, anchor, clean, weight, warped = (a[:, ::-1] for a in (ink, mask, anchor, clean, weight, warped))
    if rng.random() < 0.5:
        reference, reference_mask = reference[:, ::-1], reference_mask[:, ::-1]
    arrays = {
        "ink": ink[None],
        "mask": mask[None],
        "anchor": anchor.transpose(2, 0, 1),
        "reference": reference.transpose(2, 0, 1),
        "warped": warped.transpose(2, 0, 1),
        "reference_mask": reference_mask[None],
        "clean": clean.transpose(2, 0, 1),
        "weight": weight[None],
    }
    return {name: np.ascontiguousarray(values, np.float32) for name, values in arrays.items()}


def _fill_field(colors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Region colors (n, 3) 0..1 filled in at field size (GRID, GRID, 3)."""
    return cv2.resize(colors[np.minimum(labels, len(colors) - 1)], (GRID, GRID), interpolation=cv2.INTER_AREA)
