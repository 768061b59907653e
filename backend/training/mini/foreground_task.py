"""Batches and loss of the figure-mask network."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.networks.mini.foreground import ForegroundUNet
from backend.training.mini.foreground_example import drawing_item, reference_item
from backend.training.mini.shard_dataset import Store

SOME = 0.005
"""Least share of the picture that figure and ground must have."""


class Batch(NamedTuple):
    """lines (B, 1, S, S), rgb (B, 3, S/2, S/2), colored (B,): the network's inputs; mask (B, 1, S, S): the truth."""

    lines: Tensor
    rgb: Tensor
    colored: Tensor
    mask: Tensor


class ForegroundTask:
    """Half of a batch are drawings, half are references."""

    def __init__(self, store: Store, batch_size: int = 16) -> None:
        self.store, self.batch_size = store, batch_size

    def network(self) -> ForegroundUNet:
        """A fresh network."""
        return ForegroundUNet()

    def batch(self, rng: np.random.Generator) -> Batch:
        """``batch_size`` pictures at random."""
        makers = (drawing_item, reference_item)
        items = [makers[i % 2](self._draw(rng), rng) for i in range(self.batch_size)]
        lines, rgb, mask = (torch.from_numpy(np.stack(column).astype(np.float32)) for column in zip(*items, strict=True))
        return Batch(lines, rgb, (torch.arange(self.batch_size) % 2).float(), mask)

    def _draw(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """A set with figure and ground in both pictures; comic panels have neither and would only teach doubt."""
        for _ in range(1000):
            row = self.store.draw(rng)
            if all(SOME < float((row[k] > 127).mean()) < 1 - SOME for k in ("mask", "refmask")):
                return row
        raise ValueError("the prepared drawings have no figure masks to learn from")

    def loss(self, network: ForegroundUNet, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Cross-entropy plus Dice; figures: intersection over union of drawings and of references."""
        logits = network(batch.lines, batch.rgb, batch.colored)
        entropy = F.binary_cross_entropy_with_logits(logits, batch.mask)
        share = logits.sigmoid()
        both, total = (share * batch.mask).sum((1, 2, 3)), (share + batch.mask).sum((1, 2, 3))
        dice = 1 - ((2 * both + 1) / (total + 1)).mean()
        with torch.no_grad():
            guess, truth = logits > 0, batch.mask > 0.5
            overlap = ((guess & truth).sum((1, 2, 3)) + 1) / ((guess | truth).sum((1, 2, 3)) + 1)
            figures = {"drawing": float(overlap[0::2].mean()), "reference": float(overlap[1::2].mean())}
        return entropy + 0.5 * dice, figures
