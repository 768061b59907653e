"""Batches and loss of the flats network."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from backend.networks.mini.flats import Flats, FlatsOutput, ImageBatch, Palette
from backend.training.mini.flats_example import flats_item
from backend.training.mini.shard_dataset import Store

TOLERANCE = 6.0
"""Spread (Lab) of the colors that count as right."""
CELL_TOLERANCE = 8.0
"""The same for cells, which lie across lines and borders."""
FLOOR = 3e-4
"""Least likelihood of any answer: what the reference does not hold must not dominate the loss."""


class Batch(NamedTuple):
    """The network's inputs and, beside them, the truth.

    lab: (B, N, 3) the true colors.  palette_lab: (B, K, 3).  palette_valid: (B, K).  weight: (B, N), sums to 1 a picture.
    figure: (B, N) bool.  cells: (B, CELLS^2, 3) the true Lab / 50 of the drawing's cells; cell_weight: (B, CELLS^2).
    """

    drawing: ImageBatch
    reference: ImageBatch
    palette: Palette
    allowed: Tensor
    lab: Tensor
    palette_lab: Tensor
    palette_valid: Tensor
    weight: Tensor
    figure: Tensor
    cells: Tensor
    cell_weight: Tensor


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
        """The loss to minimize and figures for the log: share of right colors, on the figure, and of the best choice."""
        answer = network(batch.drawing, batch.reference, batch.palette, batch.allowed)
        squared = ((batch.lab[:, :, None] - batch.palette_lab[:, None]) ** 2).sum(-1)
        squared = squared.masked_fill(~batch.palette_valid[:, None], 1e9)
        fit = (-squared / (2 * TOLERANCE**2)).clamp_min(-1e4)
        floor = torch.full_like(batch.weight[..., None], float(np.log(FLOOR)))
        main, plain, heard = (
            -(torch.logsumexp(torch.cat([log_prob.float() + fit, floor], -1), -1) * batch.weight).sum(1).mean()
            for log_prob in (answer.log_prob, answer.similarity, answer.votes)
        )
        place = place_loss(answer, batch)
        with torch.no_grad():
            picked = squared.gather(-1, answer.log_prob.argmax(-1, keepdim=True))[..., 0]
            on_figure = batch.weight * batch.figure
            right = (picked < 100).float()
            figures = {
                "nll": float(main.detach()),
                "heard": float(heard.detach()),
                "place": float(place.detach()),
                "right": float((right * batch.weight).sum(1).mean()),
                "figure": float((right * on_figure).sum() / on_figure.sum().clamp_min(1e-6)),
                "possible": float(((squared.min(-1)[0] < 100).float() * batch.weight).sum(1).mean()),
            }
        return main + 0.3 * plain + 0.3 * place, figures


def place_loss(answer: FlatsOutput, batch: Batch) -> Tensor:
    """Does each cell of the drawing point at cells of its own color?  A scalar, nats."""
    reference = batch.palette.cells.reshape(len(batch.cells), 3, -1).transpose(1, 2)
    squared = torch.cdist(batch.cells, reference, compute_mode="use_mm_for_euclid_dist") ** 2 * 50.0**2
    likely = (answer.correspondence * (-squared / (2 * CELL_TOLERANCE**2)).exp()).sum(-1)
    return -((likely + FLOOR).log() * batch.cell_weight).sum(1).mean()


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

    def picture(prefix: str, width: int, mask: Tensor) -> ImageBatch:
        shown = torch.from_numpy(np.stack([i[prefix + "picture"] for i in items]))
        pool = _pad(items, prefix + "pool", (width, items[0]["pool"].shape[1]))
        geometry = _pad(items, prefix + "geometry", (width, items[0]["geometry"].shape[1]))
        return ImageBatch(shown.to(memory_format=torch.channels_last), pool, geometry, mask)

    return Batch(
        drawing=picture("", n, valid),
        reference=picture("key_", m, key_valid),
        palette=Palette(
            _pad(items, "token_lab", (m, 3)),
            _pad(items, "index", (m,)),
            k,
            _pad(items, "key_cells", items[0]["key_cells"].shape),
            _pad(items, "shares", (len(items[0]["shares"]), k)),
            _pad(items, "sides", items[0]["sides"].shape),
        ),
        allowed=_pad(items, "allowed", (n, m)),
        lab=_pad(items, "lab", (n, 3)),
        palette_lab=_pad(items, "palette_lab", (k, 3)),
        palette_valid=palette_valid,
        weight=_pad(items, "weight", (n,)),
        figure=_pad(items, "figure", (n,)),
        cells=_pad(items, "cells", items[0]["cells"].shape),
        cell_weight=_pad(items, "cell_weight", items[0]["cell_weight"].shape),
    )
