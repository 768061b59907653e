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
    apply_crop,
    erase_rectangle,
    expand_to_blocks,
    random_crop,
    random_reference_transform,
    to_signed_tensor,
    to_unit_tensor,
    transform_reference,
    transform_reference_mask,
    wipe_border,
)
from backend.training.colorizediffusion.dataset import Example, ImageDataset
from backend.training.colorizediffusion.warp import random_control_points

CLIP_SIDE = 224
VAE_FACTOR = 8
MIN_THRESHOLD, MAX_THRESHOLD = 0.05, 0.95
"""Between these v1.5's thresholds are drawn, evenly."""


@dataclass(frozen=True)
class BatchConfig:
    """How a stage learns.

    reference_dropout, sketch_dropout: shares of the pictures that are learned without.  offset: strength of a noise that is
    the same all over a channel.  min_snr: gamma of that weighting, 0 = none.  masks: whether they are part of it.
    noisy_reference: whether the reference's tokens are noised as the picture is.
    """

    batch_size: int = 4
    augmentation: Augmentation = field(default_factory=Augmentation)
    reference_dropout: float = 0.5
    sketch_dropout: float = 0.0
    offset_noise: float = 0.05
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
    posterior_noise: Tensor
    reference_kept: Tensor
    thresholds: Tensor
    warp: Tensor
    token_seed: Tensor


def draw_batch(data: ImageDataset, rng: np.random.Generator, config: BatchConfig) -> Batch:
    """Pictures at random, shown as one draw says; all randomness from ``rng``.  The reference is the picture itself."""
    how, size = config.augmentation, config.batch_size
    samples = [data.read(int(number)) for number in rng.integers(len(data), size=size)]
    where, pose = random_crop(rng, how), random_reference_transform(rng, how)
    lines = [wipe_border(rng, apply_crop(sample.sketch, where), how.max_border) for sample in samples]
    sketch = -to_signed_tensor([np.repeat(line[..., None], 3, 2) for line in lines])
    sketch[torch.from_numpy(rng.random(size) < config.sketch_dropout)] = -1.0
    latent = (size, 4, where.height // VAE_FACTOR, where.width // VAE_FACTOR)
    noise = rng.standard_normal(latent) + config.offset_noise * rng.standard_normal((size, 4, 1, 1))
    masks = [apply_crop(_require_mask(sample), where) for sample in samples] if config.masks else []
    figures = [transform_reference_mask(_require_mask(sample), pose) for sample in samples] if config.masks else []
    if rng.random() < how.erase_share:
        figures = [erase_rectangle(rng, figure) for figure in figures]
    figure = to_unit_tensor(figures) if figures else torch.empty(0)
    bent = rng.random() < how.warp_share
    return Batch(
        color=to_signed_tensor([apply_crop(sample.color, where) for sample in samples]),
        sketch=sketch,
        reference=to_signed_tensor([transform_reference(sample.color, pose) for sample in samples]),
        mask=to_unit_tensor(masks) if masks else torch.empty(0),
        reference_mask=expand_to_blocks(figure) if how.expand_masks and figures else figure,
        time=torch.from_numpy(rng.integers(TRAINING_STEPS, size=size)),
        noise=_float_tensor(noise),
        posterior_noise=_float_tensor(rng.standard_normal(latent)),
        reference_kept=_float_tensor(rng.random(size) >= config.reference_dropout),
        thresholds=_float_tensor(rng.uniform(MIN_THRESHOLD, MAX_THRESHOLD, (size, 2))),
        warp=torch.from_numpy(random_control_points(rng, size, CLIP_SIDE, CLIP_SIDE)) if bent else torch.empty(0),
        token_seed=torch.from_numpy(rng.integers(2**32, size=size)) if config.noisy_reference else torch.empty(0),
    )


def _require_mask(sample: Example) -> NDArray[np.uint8]:
    assert sample.mask is not None  # the folder was opened with masks
    return sample.mask


def _float_tensor(values: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))
