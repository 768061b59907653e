"""Batches and loss of the flats network."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from backend.networks.mini.flats import Flats, FlatsOutput, ImageBatch, Palette
from backend.training.mini.flats_example import make_flats_example
from backend.training.mini.shard_dataset import ShardDataset

REGION_SPREAD = 6.0
"""Standard deviation (Lab) of the Gaussian around a region's true color within which a palette color counts as right."""
CELL_SPREAD = 8.0
"""The same for cells, which lie across lines and borders."""
LIKELIHOOD_FLOOR = 3e-4
"""Lower bound of every likelihood: regions whose color the reference does not have must not dominate the loss."""


class Batch(NamedTuple):
    """The network's inputs and, beside them, the truth.  B examples, N regions, K palette colors."""

    drawing: ImageBatch
    reference: ImageBatch
    palette: Palette
    allowed: Tensor
    """(B, N, M) bool: which of the M reference regions a region may take its color from."""
    lab: Tensor
    """(B, N, 3) the true colors."""
    palette_lab: Tensor
    """(B, K, 3)."""
    palette_valid: Tensor
    """(B, K) bool: False for padding."""
    weight: Tensor
    """(B, N), sums to 1 in each example."""
    foreground: Tensor
    """(B, N) bool."""
    cells: Tensor
    """(B, CELLS^2, 3) the true Lab / 50 of the drawing's cells."""
    cell_weight: Tensor
    """(B, CELLS^2), sums to 1 in each example."""


class FlatsTask:
    """Draws augmented batches and computes the flats network's loss on them.  See ``engine.task.Task``."""

    def __init__(self, dataset: ShardDataset, batch_size: int = 16) -> None:
        self.dataset, self.batch_size = dataset, batch_size

    def network(self) -> Flats:
        """A new network."""
        return Flats()

    def batch(self, rng: np.random.Generator) -> Batch:
        """``batch_size`` random examples."""
        return collate([make_flats_example(self.dataset.sample(rng), rng) for _ in range(self.batch_size)])

    def loss(self, network: Flats, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """The negative log likelihood of the true region colors, plus 0.3 times each of two auxiliary losses.

        These are the same likelihood under the plain similarity of regions, and ``pointing_loss``.  Metrics: the likelihood of
        the whole output and of the places alone, the pointing loss, and weighted shares of regions whose color is right (within
        10 in Lab): of the likeliest choice (accuracy, and foreground_accuracy), and of the best choice there is (oracle).
        """
        output = network(batch.drawing, batch.reference, batch.palette, batch.allowed)
        squared = ((batch.lab[:, :, None] - batch.palette_lab[:, None]) ** 2).sum(-1)
        # Colors that only pad the palette are far from every true color.
        squared = squared.masked_fill(~batch.palette_valid[:, None], 1e9)
        fit = (-squared / (2 * REGION_SPREAD**2)).clamp_min(-1e4)
        # A floor under the likelihood limits what one hopeless region can cost.
        floor = torch.full_like(batch.weight[..., None], float(np.log(LIKELIHOOD_FLOOR)))
        nll, similarity_nll, place_nll = (
            -(torch.logsumexp(torch.cat([log_prob.float() + fit, floor], -1), -1) * batch.weight).sum(1).mean()
            for log_prob in (output.log_prob, output.similarity, output.votes)
        )
        pointing = pointing_loss(output, batch)
        with torch.no_grad():
            distance = squared.gather(-1, output.log_prob.argmax(-1, keepdim=True))[..., 0]
            foreground_weight = batch.weight * batch.foreground
            right = (distance < 100).float()
            metrics = {
                "nll": float(nll.detach()),
                "place_nll": float(place_nll.detach()),
                "pointing": float(pointing.detach()),
                "accuracy": float((right * batch.weight).sum(1).mean()),
                "foreground_accuracy": float((right * foreground_weight).sum() / foreground_weight.sum().clamp_min(1e-6)),
                "oracle": float(((squared.min(-1)[0] < 100).float() * batch.weight).sum(1).mean()),
            }
        return nll + 0.3 * similarity_nll + 0.3 * pointing, metrics


def pointing_loss(output: FlatsOutput, batch: Batch) -> Tensor:
    """How far the drawing's cells point at reference cells of another color than their own.  A scalar, nats."""
    reference = batch.palette.cells.reshape(len(batch.cells), 3, -1).transpose(1, 2)
    squared = torch.cdist(batch.cells, reference, compute_mode="use_mm_for_euclid_dist") ** 2 * 50.0**2
    likelihood = (output.correspondence * (-squared / (2 * CELL_SPREAD**2)).exp()).sum(-1)
    return -((likelihood + LIKELIHOOD_FLOOR).log() * batch.cell_weight).sum(1).mean()


def _pad_and_stack(examples: list[dict[str, np.ndarray]], key: str, shape: tuple[int, ...]) -> Tensor:
    """(B, *shape): one array of every example, padded with zeros."""
    out = np.zeros((len(examples), *shape), examples[0][key].dtype)
    for row, example in zip(out, examples, strict=True):
        row[tuple(slice(0, s) for s in example[key].shape)] = example[key]
    return torch.from_numpy(out)


def collate(examples: list[dict[str, np.ndarray]]) -> Batch:
    """A batch of examples with different numbers of regions and colors, padded to the largest."""
    n = max(len(e["pool"]) for e in examples)
    m = max(len(e["key_pool"]) for e in examples)
    k = max(len(e["palette_lab"]) for e in examples)
    sizes = torch.tensor([[len(e["pool"]), len(e["key_pool"]), len(e["palette_lab"])] for e in examples])
    valid, key_valid, palette_valid = (torch.arange(w)[None] < sizes[:, c, None] for c, w in enumerate((n, m, k)))
    first = examples[0]

    def image_batch(prefix: str, width: int, mask: Tensor) -> ImageBatch:
        image = torch.from_numpy(np.stack([e[prefix + "image"] for e in examples]))
        pool = _pad_and_stack(examples, prefix + "pool", (width, first["pool"].shape[1]))
        geometry = _pad_and_stack(examples, prefix + "geometry", (width, first["geometry"].shape[1]))
        return ImageBatch(image.to(memory_format=torch.channels_last), pool, geometry, mask)

    return Batch(
        drawing=image_batch("", n, valid),
        reference=image_batch("key_", m, key_valid),
        palette=Palette(
            _pad_and_stack(examples, "token_lab", (m, 3)),
            _pad_and_stack(examples, "index", (m,)),
            k,
            _pad_and_stack(examples, "key_cells", first["key_cells"].shape),
            _pad_and_stack(examples, "shares", (len(first["shares"]), k)),
            _pad_and_stack(examples, "sides", first["sides"].shape),
        ),
        allowed=_pad_and_stack(examples, "allowed", (n, m)),
        lab=_pad_and_stack(examples, "lab", (n, 3)),
        palette_lab=_pad_and_stack(examples, "palette_lab", (k, 3)),
        palette_valid=palette_valid,
        weight=_pad_and_stack(examples, "weight", (n,)),
        foreground=_pad_and_stack(examples, "foreground", (n,)),
        cells=_pad_and_stack(examples, "cells", first["cells"].shape),
        cell_weight=_pad_and_stack(examples, "cell_weight", first["cell_weight"].shape),
    )
