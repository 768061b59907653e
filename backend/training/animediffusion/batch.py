"""A batch of faces, and every random number that learning from it takes (spec animediffusion 4 and 5)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from backend.families.animediffusion.sampling import LINES_FILL, REFERENCE_FILL, TRAINING_STEPS
from backend.imaging.thin_plate_warp import ThinPlateWarp, random_warp, warp_published
from backend.imaging.types import Gray, Rgb
from backend.training.animediffusion.dataset import FacePairs, center_square
from backend.training.colorizediffusion.augment import to_signed_tensor

WarpFunction = Callable[[Rgb, ThinPlateWarp], Rgb]


@dataclass(frozen=True)
class BatchConfig:
    """How the batches of a phase are made."""

    batch_size: int = 32
    """Images in a batch."""
    side: int = 256
    """Side of the images, pixels."""
    warp: WarpFunction | None = warp_published
    """Makes an image its own reference; None: the image itself is the reference."""
    reference_dropout: float = 0.0
    """Share of the images that are learned without reference."""
    line_dropout: float = 0.0
    """Share of the images that are learned without lines."""
    step_noises: int = 0
    """Noises for the steps of the sampler, for each image besides its first noise."""


class Batch(NamedTuple):
    """B images of side S, in -1..1."""

    color: Tensor
    """(B, 3, S, S)."""
    lines: Tensor
    """(B, 1, S, S), paper +1."""
    reference: Tensor
    """(B, 3, S, S)."""
    time: Tensor
    """(B,) whole."""
    noise: Tensor
    """(B, 3, S, S)."""
    step_noise: Tensor
    """(step_noises, B, 3, S, S)."""


def draw_batch(data: FacePairs, rng: np.random.Generator, config: BatchConfig) -> Batch:
    """A batch of random images; all randomness comes from ``rng``.

    The reference of an image is the image itself, warped at its own size.
    """
    size, side = config.batch_size, config.side
    faces = [data.read(int(number)) for number in rng.integers(len(data), size=size)]
    # Drawn even when nothing is warped, so that a seed draws the same images either way.
    warps = [random_warp(rng) for _ in faces]
    references = [config.warp(face.color, warp) if config.warp else face.color for face, warp in zip(faces, warps, strict=True)]
    reference = to_signed_tensor([center_square(rgb, side) for rgb in references])
    reference[torch.from_numpy(rng.random(size) < config.reference_dropout)] = REFERENCE_FILL
    lines = lines_to_tensor([center_square(face.lines, side) for face in faces])
    lines[torch.from_numpy(rng.random(size) < config.line_dropout)] = LINES_FILL
    shape = (size, 3, side, side)
    return Batch(
        color=to_signed_tensor([center_square(face.color, side) for face in faces]),
        lines=lines,
        reference=reference,
        time=torch.from_numpy(rng.integers(TRAINING_STEPS, size=size)),
        noise=torch.from_numpy(rng.standard_normal(shape, np.float32)),
        step_noise=torch.from_numpy(rng.standard_normal((config.step_noises, *shape), np.float32)),
    )


def lines_to_tensor(lines: list[Gray]) -> Tensor:
    """(S, S) drawings, dark on white -> (B, 1, S, S) in -1..1."""
    return torch.from_numpy(np.stack(lines))[:, None].float() / 127.5 - 1
