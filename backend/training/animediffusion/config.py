"""The published learning rate (spec animediffusion 5.1), and epochs as steps."""

import math
import os
from dataclasses import dataclass

import torch

from backend.training.engine.config import TrainConfig

LAST_RATE = 1e-8
"""At the very beginning and at the end."""


def warmed_cosine(progress: float, warm: float, highest: float, lowest: float = LAST_RATE) -> float:
    """The rate at a share of the run: evenly up until the share ``warm``, then half a cosine down."""
    if progress < warm:
        return lowest + (highest - lowest) * progress / warm
    fallen = (min(progress, 1.0) - warm) / (1 - warm)
    return lowest + (highest - lowest) * 0.5 * (1 + math.cos(math.pi * fallen))


@dataclass(frozen=True)
class AnimeRecipe(TrainConfig):
    """``TrainConfig`` with that rate.  warm: the share of the run in which the rate rises, one epoch of all as published."""

    warm: float = 1 / 200

    def learning_rate(self, step: int, progress: float) -> float:
        """At a share of the run; a step counts as begun."""
        return warmed_cosine(progress, self.warm, self.rate)


def processes() -> int:
    """How many share the run, as torchrun and ``accelerate launch`` tell each of them."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def steps_of(epochs: float, pictures: int, batch: int, parts: int) -> int:
    """Steps in which so many pictures are seen ``epochs`` times; a step sees ``parts`` batches, in all processes together."""
    return max(1, round(epochs * pictures / (batch * parts)))


def layout(device: str) -> torch.memory_format:
    """How weights lie fastest.  On processors group norm's way back takes five times as long with channels last, in bf16."""
    found = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    return torch.channels_last if found else torch.contiguous_format
