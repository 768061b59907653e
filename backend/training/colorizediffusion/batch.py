"""A batch of pictures and every random number that learning from it takes (spec 21.1 to 21.3 and 21.6)."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.families.diffusion.noise_schedule import TRAINING_STEPS
from backend.training.colorizediffusion.augment import (
    Augmentation,
    draw_framing,
    draw_pose,
    erased,
    expanded,
    framed,
    posed,
    posed_mask,
    signed,
    unsigned,
    wiped_border,
)
from backend.training.colorizediffusion.dataset import PictureFolder, Sample
from backend.training.colorizediffusion.warp import draw_points

CLIP_SIDE = 224
CELL = 8
LOW, HIGH = 0.05, 0.95
"""Between these v1.5's thresholds are drawn, evenly."""


@dataclass(frozen=True)
class Settings:
    """How a stage learns.

    reference_dropout, sketch_dropout: shares of the pictures that are learned without.  offset: strength of a noise that is
    the same all over a channel.  min_snr: gamma of that weighting, 0 = none.  masks: whether they are part of it.
    noisy_reference: whether the reference's tokens are noised as the picture is.
    """

    size: int = 4
    augmentation: Augmentation = field(default_factory=Augmentation)
    reference_dropout: float = 0.5
    sketch_dropout: float = 0.0
    offset: float = 0.05
    min_snr: float = 0.0
    masks: bool = False
    noisy_reference: bool = False


class Batch(NamedTuple):
    """B pictures.

    color, sketch: (B, 3, H, W) in -1..1, lines +1.  reference: (B, 3, R, R).  mask: (B, 1, H, W) and reference_mask:
    (B, 1, R, R) in 0..1, of no size without masks.  time: (B,) whole.  noise, posterior: (B, 4, H/8, W/8).  seen: (B,) 1,
    or 0 where the reference is withheld.  thresholds: (B, 2), the sketch's and the reference's.  warp: (B, 2, n, 2) points on
    the 224-pixel reference, of no size without a warp.  token_seed: (B,) whole, what the tokens' noise grows from, of no size
    where they stay clean.
    """

    color: Tensor
    sketch: Tensor
    reference: Tensor
    mask: Tensor
    reference_mask: Tensor
    time: Tensor
    noise: Tensor
    posterior: Tensor
    seen: Tensor
    thresholds: Tensor
    warp: Tensor
    token_seed: Tensor


def draw_batch(data: PictureFolder, rng: np.random.Generator, settings: Settings) -> Batch:
    """Pictures at random, shown as one draw says; all randomness from ``rng``.  The reference is the picture itself."""
    how, size = settings.augmentation, settings.size
    samples = [data.read(int(number)) for number in rng.integers(len(data), size=size)]
    where, pose = draw_framing(rng, how), draw_pose(rng, how)
    lines = [wiped_border(rng, framed(sample.sketch, where), how.border) for sample in samples]
    sketch = -signed([np.repeat(line[..., None], 3, 2) for line in lines])
    sketch[torch.from_numpy(rng.random(size) < settings.sketch_dropout)] = -1.0
    latent = (size, 4, where.height // CELL, where.width // CELL)
    noise = rng.standard_normal(latent) + settings.offset * rng.standard_normal((size, 4, 1, 1))
    masks = [framed(_mask(sample), where) for sample in samples] if settings.masks else []
    figures = [posed_mask(_mask(sample), pose) for sample in samples] if settings.masks else []
    if rng.random() < how.erase:
        figures = [erased(rng, figure) for figure in figures]
    figure = unsigned(figures) if figures else torch.empty(0)
    bent = rng.random() < how.warp
    return Batch(
        color=signed([framed(sample.color, where) for sample in samples]),
        sketch=sketch,
        reference=signed([posed(sample.color, pose) for sample in samples]),
        mask=unsigned(masks) if masks else torch.empty(0),
        reference_mask=expanded(figure) if how.expand and figures else figure,
        time=torch.from_numpy(rng.integers(TRAINING_STEPS, size=size)),
        noise=_floats(noise),
        posterior=_floats(rng.standard_normal(latent)),
        seen=_floats(rng.random(size) >= settings.reference_dropout),
        thresholds=_floats(rng.uniform(LOW, HIGH, (size, 2))),
        warp=torch.from_numpy(draw_points(rng, size, CLIP_SIDE, CLIP_SIDE)) if bent else torch.empty(0),
        token_seed=torch.from_numpy(rng.integers(2**32, size=size)) if settings.noisy_reference else torch.empty(0),
    )


def _mask(sample: Sample) -> NDArray[np.uint8]:
    assert sample.mask is not None  # the folder was opened with masks
    return sample.mask


def _floats(values: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))
