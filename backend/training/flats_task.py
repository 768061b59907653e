"""Batches and loss of the flats network."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from backend.families.mini_features import allowed_pairs, eyes_picture, region_arrays, token_lab
from backend.imaging.colour import lab_from_rgb
from backend.networks.flats import Flats, Palette, Picture
from backend.training.augment import apply_colours, colour_matrix, move, random_move
from backend.training.prepare import NONE, SIDE
from backend.training.store import Store

TOLERANCE = 6.0
"""Spread (Lab) of the colours that count as right."""
FLOOR = 3e-4
"""Least likelihood of any answer: what the reference does not hold must not dominate the loss."""


class Batch(NamedTuple):
    """The network's inputs and, beside them, the truth.

    lab: (B, N, 3) the true colours.  palette_lab: (B, K, 3).  palette_valid: (B, K).  weight: (B, N), sums to 1 a picture.
    figure: (B, N) bool.
    """

    drawing: Picture
    reference: Picture
    palette: Palette
    allowed: Tensor
    lab: Tensor
    palette_lab: Tensor
    palette_valid: Tensor
    weight: Tensor
    figure: Tensor


class FlatsTask:
    """Draws augmented batches and scores the network on them."""

    def __init__(self, store: Store, batch_size: int = 16) -> None:
        self.store, self.batch_size = store, batch_size

    def network(self) -> Flats:
        """A fresh network."""
        return Flats()

    def batch(self, rng: np.random.Generator) -> Batch:
        """``batch_size`` sets at random."""
        return stack_sets([flats_item(self.store.draw(rng), rng) for _ in range(self.batch_size)])

    def loss(self, network: Flats, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """The loss to minimise and figures for the log: share of right colours, on the figure, and of the best choice."""
        answer = network(batch.drawing, batch.reference, batch.palette, batch.allowed)
        squared = ((batch.lab[:, :, None] - batch.palette_lab[:, None]) ** 2).sum(-1)
        squared = squared.masked_fill(~batch.palette_valid[:, None], 1e9)
        fit = (-squared / (2 * TOLERANCE**2)).clamp_min(-1e4)
        floor = torch.full_like(batch.weight[..., None], float(np.log(FLOOR)))
        main, plain = (
            -(torch.logsumexp(torch.cat([log_prob.float() + fit, floor], -1), -1) * batch.weight).sum(1).mean()
            for log_prob in (answer.log_prob, answer.similarity)
        )
        with torch.no_grad():
            picked = squared.gather(-1, answer.log_prob.argmax(-1, keepdim=True))[..., 0]
            on_figure = batch.weight * batch.figure
            right = (picked < 100).float()
            figures = {
                "nll": float(main.detach()),
                "right": float((right * batch.weight).sum(1).mean()),
                "figure": float((right * on_figure).sum() / on_figure.sum().clamp_min(1e-6)),
                "possible": float(((squared.min(-1)[0] < 100).float() * batch.weight).sum(1).mean()),
            }
        return main + 0.3 * plain, figures


def _mirrored(pictures: list[np.ndarray]) -> list[np.ndarray]:
    return [p[:, ::-1] for p in pictures]


def _moved(pictures: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    matrix = random_move(rng, SIDE)
    lines, mask, labels = pictures
    return [move(lines, matrix, 0, False), move(mask, matrix, 0, False), move(labels, matrix, NONE, True)]


def flats_item(row: dict[str, np.ndarray], rng: np.random.Generator | None) -> dict[str, np.ndarray]:
    """One set's arrays for ``stack_sets``; augmented when there is a generator."""
    drawing, reference = [row["ink"], row["mask"], row["labels"]], [row["reflines"], row["refmask"], row["reflabels"]]
    matrix = np.eye(3, dtype=np.float32)
    unmasked = False
    if rng is not None:
        matrix = colour_matrix(rng, 0.5)
        drawing = _mirrored(drawing) if rng.random() < 0.5 else drawing
        reference = _mirrored(reference) if rng.random() < 0.5 else reference
        drawing = _moved(drawing, rng) if rng.random() < 0.25 else drawing
        reference = _moved(reference, rng) if rng.random() < 0.5 else reference
        unmasked = rng.random() < 0.1
        drawing[0] = np.clip(drawing[0].astype(np.float32) * rng.uniform(0.5, 1.5), 0, 255).astype(np.uint8)
    if unmasked:  # an unsplit picture: the whole of it counts as figure, as it does when there is no mask
        drawing[1], reference[1] = np.full_like(drawing[1], 255), np.full_like(reference[1], 255)
    n, m, k = int(row["count"]), int(row["refcount"]), int(row["palettecount"])
    arrays, keys = (
        region_arrays(np.where(p[2] == NONE, -1, p[2].astype(np.int32)), c, p[1]) for p, c in ((drawing, n), (reference, m))
    )
    palette = apply_colours(matrix, row["palette"][:k])
    trusted, off = row["trusted"][:n].astype(np.float32), row["off"][:n]
    weight = np.sqrt(trusted) * (1 - 0.8 * off / np.maximum(trusted, 1)) * (0.5 + 0.5 * arrays.figure)
    weight = weight * (arrays.pool.sum(1) > 0)  # moved out of the picture
    return {
        "picture": eyes_picture(drawing[0], drawing[1], 0.0),
        "key_picture": eyes_picture(reference[0], reference[1], 1.0),
        "pool": arrays.pool,
        "key_pool": keys.pool,
        "geometry": arrays.geometry,
        "key_geometry": keys.geometry,
        "allowed": allowed_pairs(arrays.figure, keys.figure),
        "token_lab": token_lab(palette, row["refindex"][:m]),
        "index": row["refindex"][:m].astype(np.int64),
        "lab": lab_from_rgb(apply_colours(matrix, row["colours"][:n])),
        "palette_lab": lab_from_rgb(palette),
        "weight": (weight / max(float(weight.sum()), 1e-6)).astype(np.float32),
        "figure": arrays.figure,
    }


def _pad(items: list[dict[str, np.ndarray]], key: str, shape: tuple[int, ...]) -> Tensor:
    out = np.zeros((len(items), *shape), items[0][key].dtype)
    for row, item in zip(out, items, strict=True):
        row[tuple(slice(0, s) for s in item[key].shape)] = item[key]
    return torch.from_numpy(out)


def stack_sets(items: list[dict[str, np.ndarray]]) -> Batch:
    """Sets of different numbers of regions, padded to the largest."""
    n = max(len(i["pool"]) for i in items)
    m = max(len(i["key_pool"]) for i in items)
    k = max(len(i["palette_lab"]) for i in items)
    sizes = torch.tensor([[len(i["pool"]), len(i["key_pool"]), len(i["palette_lab"])] for i in items])
    valid, key_valid, palette_valid = (torch.arange(w)[None] < sizes[:, c, None] for c, w in enumerate((n, m, k)))

    def picture(prefix: str, width: int, mask: Tensor) -> Picture:
        shown = torch.from_numpy(np.stack([i[prefix + "picture"] for i in items]))
        pool = _pad(items, prefix + "pool", (width, items[0]["pool"].shape[1]))
        geometry = _pad(items, prefix + "geometry", (width, items[0]["geometry"].shape[1]))
        return Picture(shown.to(memory_format=torch.channels_last), pool, geometry, mask)

    return Batch(
        drawing=picture("", n, valid),
        reference=picture("key_", m, key_valid),
        palette=Palette(_pad(items, "token_lab", (m, 3)), _pad(items, "index", (m,)), k),
        allowed=_pad(items, "allowed", (n, m)),
        lab=_pad(items, "lab", (n, 3)),
        palette_lab=_pad(items, "palette_lab", (k, 3)),
        palette_valid=palette_valid,
        weight=_pad(items, "weight", (n,)),
        figure=_pad(items, "figure", (n,)),
    )
