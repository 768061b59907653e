"""Batches and loss of the foreground network."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.networks.mini.foreground import ForegroundUNet
from backend.training.mini.foreground_example import make_drawing_example, make_reference_example
from backend.training.mini.shard_dataset import ExampleArrays, ShardDataset

MIN_AREA_SHARE = 0.005
"""Share of the image that both foreground and background must have."""


class Batch(NamedTuple):
    """The network's inputs and the true mask."""

    lines: Tensor
    """(B, 1, S, S)."""
    rgb: Tensor
    """(B, 3, S/2, S/2)."""
    colored: Tensor
    """(B,) 1 for references, 0 for drawings."""
    mask: Tensor
    """(B, 1, S, S)."""


class ForegroundTask:
    """Half of a batch are drawings, half are references.  See ``engine.task.Task``."""

    def __init__(self, dataset: ShardDataset, batch_size: int = 16) -> None:
        self.dataset, self.batch_size = dataset, batch_size

    def network(self) -> ForegroundUNet:
        """A new network."""
        return ForegroundUNet()

    def batch(self, rng: np.random.Generator) -> Batch:
        """``batch_size`` random images."""
        makers = (make_drawing_example, make_reference_example)
        examples = [makers[i % 2](self._sample(rng), rng) for i in range(self.batch_size)]
        lines, rgb, mask = (torch.from_numpy(np.stack(column).astype(np.float32)) for column in zip(*examples, strict=True))
        return Batch(lines, rgb, (torch.arange(self.batch_size) % 2).float(), mask)

    def _sample(self, rng: np.random.Generator) -> ExampleArrays:
        """An example whose two images have foreground and background; comic panels have no such mask to learn from."""
        for _ in range(1000):
            example = self.dataset.sample(rng)
            if all(MIN_AREA_SHARE < float((example[k] > 127).mean()) < 1 - MIN_AREA_SHARE for k in ("mask", "refmask")):
                return example
        raise ValueError("the prepared drawings have no foreground masks to learn from")

    def loss(self, network: ForegroundUNet, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Cross-entropy plus half the Dice loss.  Metrics: intersection over union of drawings and of references."""
        logits = network(batch.lines, batch.rgb, batch.colored)
        cross_entropy = F.binary_cross_entropy_with_logits(logits, batch.mask)
        probability = logits.sigmoid()
        both, total = (probability * batch.mask).sum((1, 2, 3)), (probability + batch.mask).sum((1, 2, 3))
        # Unlike cross-entropy, the Dice loss weighs a small foreground as much as a large one.
        dice = 1 - ((2 * both + 1) / (total + 1)).mean()
        with torch.no_grad():
            predicted, truth = logits > 0, batch.mask > 0.5
            overlap = ((predicted & truth).sum((1, 2, 3)) + 1) / ((predicted | truth).sum((1, 2, 3)) + 1)
            metrics = {"drawing": float(overlap[0::2].mean()), "reference": float(overlap[1::2].mean())}
        return cross_entropy + 0.5 * dice, metrics
