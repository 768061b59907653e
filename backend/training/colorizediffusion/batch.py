"""A batch of images, and every random number that learning from it takes (spec 21.1 to 21.3 and 21.6)."""

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
"""Side of the images that CLIP sees, pixels."""
VAE_FACTOR = 8
"""Pixels of an image to one of its latent."""
MIN_THRESHOLD, MAX_THRESHOLD = 0.05, 0.95
"""v1.5's thresholds are drawn between these, evenly."""


@dataclass(frozen=True)
class BatchConfig:
    """How the batches of a stage are made."""

    batch_size: int = 4
    """Images in a batch."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    """How crops and references are drawn."""
    reference_dropout: float = 0.5
    """Share of the images that are learned without reference."""
    sketch_dropout: float = 0.0
    """Share of the images that are learned without lines."""
    offset_noise: float = 0.05
    """Strength of a noise that is the same all over a channel."""
    min_snr: float = 0.0
    """Gamma of min-SNR weighting of the loss; 0: no weighting."""
    masks: bool = False
    """Whether batches have masks."""
    noisy_reference: bool = False
    """Whether the reference's tokens get noise as the image does."""


class Batch(NamedTuple):
    """B images.  Masks, warp and token seeds are empty tensors where the configuration has none."""

    color: Tensor
    """(B, 3, H, W) in -1..1."""
    sketch: Tensor
    """(B, 3, H, W) in -1..1, lines +1."""
    reference: Tensor
    """(B, 3, R, R) in -1..1."""
    mask: Tensor
    """(B, 1, H, W) in 0..1, 1 = foreground."""
    reference_mask: Tensor
    """(B, 1, R, R) in 0..1."""
    time: Tensor
    """(B,) whole."""
    noise: Tensor
    """(B, 4, H/8, W/8)."""
    posterior_noise: Tensor
    """(B, 4, H/8, W/8): samples the VAE's posterior."""
    reference_kept: Tensor
    """(B,) 1, or 0 where the reference is dropped."""
    thresholds: Tensor
    """(B, 2): the sketch's and the reference's."""
    warp: Tensor
    """(B, 2, n, 2): points on the reference as CLIP sees it, before and after the warp."""
    token_seed: Tensor
    """(B,) whole: seeds of the tokens' noise."""


def draw_batch(data: ImageDataset, rng: np.random.Generator, config: BatchConfig) -> Batch:
    """A batch of random images; all randomness comes from ``rng``.  The reference of an image is the image itself."""
    augmentation, size = config.augmentation, config.batch_size
    examples = [data.read(int(number)) for number in rng.integers(len(data), size=size)]
    # The order of these draws decides which batch a seed gives: keep it.
    crop, transform = random_crop(rng, augmentation), random_reference_transform(rng, augmentation)
    lines = [wipe_border(rng, apply_crop(example.sketch, crop), augmentation.max_border) for example in examples]
    sketch = -to_signed_tensor([np.repeat(line[..., None], 3, 2) for line in lines])
    sketch[torch.from_numpy(rng.random(size) < config.sketch_dropout)] = -1.0
    latent_shape = (size, 4, crop.height // VAE_FACTOR, crop.width // VAE_FACTOR)
    noise = rng.standard_normal(latent_shape) + config.offset_noise * rng.standard_normal((size, 4, 1, 1))
    masks, reference_masks = list[NDArray[np.uint8]](), list[NDArray[np.uint8]]()
    if config.masks:
        masks = [apply_crop(_require_mask(example), crop) for example in examples]
        reference_masks = [transform_reference_mask(_require_mask(example), transform) for example in examples]
    if rng.random() < augmentation.erase_share:
        reference_masks = [erase_rectangle(rng, mask) for mask in reference_masks]
    reference_mask = to_unit_tensor(reference_masks) if reference_masks else torch.empty(0)
    has_warp = rng.random() < augmentation.warp_share
    return Batch(
        color=to_signed_tensor([apply_crop(example.color, crop) for example in examples]),
        sketch=sketch,
        reference=to_signed_tensor([transform_reference(example.color, transform) for example in examples]),
        mask=to_unit_tensor(masks) if masks else torch.empty(0),
        reference_mask=expand_to_blocks(reference_mask) if augmentation.expand_masks and reference_masks else reference_mask,
        time=torch.from_numpy(rng.integers(TRAINING_STEPS, size=size)),
        noise=_float_tensor(noise),
        posterior_noise=_float_tensor(rng.standard_normal(latent_shape)),
        reference_kept=_float_tensor(rng.random(size) >= config.reference_dropout),
        thresholds=_float_tensor(rng.uniform(MIN_THRESHOLD, MAX_THRESHOLD, (size, 2))),
        warp=torch.from_numpy(random_control_points(rng, size, CLIP_SIDE, CLIP_SIDE)) if has_warp else torch.empty(0),
        token_seed=torch.from_numpy(rng.integers(2**32, size=size)) if config.noisy_reference else torch.empty(0),
    )


def _require_mask(example: Example) -> NDArray[np.uint8]:
    assert example.mask is not None  # the data set was opened with masks
    return example.mask


def _float_tensor(values: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))
