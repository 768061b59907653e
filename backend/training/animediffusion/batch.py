"""A batch of faces and every random number that learning from it takes (spec animediffusion 4 and 5)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from backend.families.animediffusion.sampling import LINES_FILL, REFERENCE_FILL, TRAINING_STEPS
from backend.imaging.thin_plate_warp import ThinPlateWarp, random_warp, warp_published
from backend.imaging.types import Gray, Rgb
from backend.training.animediffusion.dataset import FacePairs, squared
from backend.training.colorizediffusion.augment import signed

Bending = Callable[[Rgb, ThinPlateWarp], Rgb]


@dataclass(frozen=True)
class Settings:
    """How a phase learns.

    size: pictures in a batch.  side: theirs, pixels.  bending: how a picture becomes its own reference; None = as it is.
    withhold, withhold_lines: shares of the pictures learned without.  draws: noises for each picture besides the first.
    """

    size: int = 32
    side: int = 256
    bending: Bending | None = warp_published
    withhold: float = 0.0
    withhold_lines: float = 0.0
    draws: int = 0


class Batch(NamedTuple):
    """B pictures of side S in -1..1.

    color, reference: (B, 3, S, S).  lines: (B, 1, S, S), paper +1.  time: (B,) whole.  noise: (B, 3, S, S).  step_noise:
    (draws, B, 3, S, S).
    """

    color: Tensor
    lines: Tensor
    reference: Tensor
    time: Tensor
    noise: Tensor
    step_noise: Tensor


def draw_batch(data: FacePairs, rng: np.random.Generator, settings: Settings) -> Batch:
    """Pictures at random; all randomness from ``rng``.  The reference is the picture itself, bent at its own size."""
    size, side = settings.size, settings.side
    faces = [data.read(int(number)) for number in rng.integers(len(data), size=size)]
    bends = [random_warp(rng) for _ in faces]
    shown = [
        settings.bending(face.color, bend) if settings.bending else face.color for face, bend in zip(faces, bends, strict=True)
    ]
    reference = signed([squared(rgb, side) for rgb in shown])
    reference[torch.from_numpy(rng.random(size) < settings.withhold)] = REFERENCE_FILL
    lines = line_pictures([squared(face.lines, side) for face in faces])
    lines[torch.from_numpy(rng.random(size) < settings.withhold_lines)] = LINES_FILL
    shape = (size, 3, side, side)
    return Batch(
        color=signed([squared(face.color, side) for face in faces]),
        lines=lines,
        reference=reference,
        time=torch.from_numpy(rng.integers(TRAINING_STEPS, size=size)),
        noise=torch.from_numpy(rng.standard_normal(shape, np.float32)),
        step_noise=torch.from_numpy(rng.standard_normal((settings.draws, *shape), np.float32)),
    )


def line_pictures(lines: list[Gray]) -> Tensor:
    """(S, S) drawings dark on white -> (B, 1, S, S) in -1..1."""
    return torch.from_numpy(np.stack(lines))[:, None].float() / 127.5 - 1
