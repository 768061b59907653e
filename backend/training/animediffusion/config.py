"""The published learning rate of AnimeDiffusion (spec animediffusion 5.1), and steps for a number of epochs."""

import math
import os
from dataclasses import dataclass

import torch

from backend.training.engine.config import TrainConfig

LOWEST_RATE = 1e-8
"""Learning rate of the first step and at the end."""


def cosine_with_warmup(progress: float, warmup_share: float, highest: float, lowest: float = LOWEST_RATE) -> float:
    """The learning rate at a share of the training run: a linear rise until ``warmup_share``, then half a cosine down."""
    if progress < warmup_share:
        return lowest + (highest - lowest) * progress / warmup_share
    cosine_progress = (min(progress, 1.0) - warmup_share) / (1 - warmup_share)
    return lowest + (highest - lowest) * 0.5 * (1 + math.cos(math.pi * cosine_progress))


@dataclass(frozen=True)
class AnimeTrainConfig(TrainConfig):
    """``TrainConfig`` with the published schedule of the learning rate."""

    warmup_share: float = 1 / 200
    """Share of the training run in which the learning rate rises; as published, one of 200 epochs."""

    def learning_rate_at(self, step: int, progress: float) -> float:
        """At the start of a step; only the share of the training run counts."""
        return cosine_with_warmup(progress, self.warmup_share, self.learning_rate)


def process_count() -> int:
    """How many processes share the training run, as torchrun and ``accelerate launch`` tell each of them."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def steps_for_epochs(epochs: float, images: int, batch_size: int, batches_per_step: int) -> int:
    """Steps in which so many images are seen ``epochs`` times.  ``batches_per_step`` counts all processes together."""
    return max(1, round(epochs * images / (batch_size * batches_per_step)))


def fastest_memory_format(device: str) -> torch.memory_format:
    """The layout of the weights that trains fastest.

    On CPUs, in bf16, the backward pass of group norm takes five times as long with channels last.
    """
    on_gpu = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    return torch.channels_last if on_gpu else torch.contiguous_format
