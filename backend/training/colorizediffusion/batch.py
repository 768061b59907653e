"""A batch of images, and every random number that learning from it takes (spec 21.1 to 21.4 and 21.6)."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.families.diffusion.noise_schedule import TRAINING_STEPS
from backend.training.colorizediffusion.augment import (
    Augmentation,
    Crop,
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
WHITENESS = (0.95, 1.0)
"""Between these the value is drawn that a white background reference has all over."""


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
    thresholds: tuple[float, float] = (0.05, 0.95)
    """Between these the thresholds of the masks are drawn, evenly."""
    encoded_reference: bool = False
    """Whether the VAE encodes the references, too."""
    bleached_background: bool = False
    """Whether background references are made: bleached ones, and white ones."""
    white_background: float = 0.05
    """Of these images, the share that is learned with a white background."""
    merged_masks: float = 0.0
    """Of these images, the share whose mask is united with another image's.  Our reading of mask merging (spec 21.4)."""


class Batch(NamedTuple):
    """B images.  Masks, and all from ``warp`` on, are empty tensors where the configuration has none."""

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
    reference_size: Tensor
    """(B, 2) whole: height and width of the references at their own size."""
    reference_noise: Tensor
    """(B, 4, H/8, W/8): samples the VAE's posterior of references."""
    has_white_background: Tensor
    """(B,) Boolean: whether image and background reference are to be white behind the foreground."""
    whiteness: Tensor
    """(B,): the white of such a background reference."""
    background: Tensor
    """(B, 3, R, R) in -1..1: the background reference, once a stage has bleached it."""


def draw_batch(data: ImageDataset, rng: np.random.Generator, config: BatchConfig) -> Batch:
    """A batch of random images; all randomness comes from ``rng``.  The reference of an image is the image itself."""
    augmentation, size = config.augmentation, config.batch_size
    # The order of all draws decides which batch a seed gives: keep it.
    numbers = rng.integers(len(data), size=size)
    kinds = rng.integers(len(data.sketches), size=size) if len(data.sketches) > 1 else np.zeros(size, int)
    examples = [data.read(int(number), int(kind)) for number, kind in zip(numbers, kinds, strict=True)]
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
    batch = Batch(
        color=to_signed_tensor([apply_crop(example.color, crop) for example in examples]),
        sketch=sketch,
        reference=to_signed_tensor([transform_reference(example.color, transform) for example in examples]),
        mask=to_unit_tensor(masks) if masks else torch.empty(0),
        reference_mask=expand_to_blocks(reference_mask) if augmentation.expand_masks and reference_masks else reference_mask,
        time=torch.from_numpy(rng.integers(TRAINING_STEPS, size=size)),
        noise=_float_tensor(noise),
        posterior_noise=_float_tensor(rng.standard_normal(latent_shape)),
        reference_kept=_float_tensor(rng.random(size) >= config.reference_dropout),
        thresholds=_float_tensor(rng.uniform(*config.thresholds, (size, 2))),
        warp=torch.from_numpy(random_control_points(rng, size, CLIP_SIDE, CLIP_SIDE)) if has_warp else torch.empty(0),
        token_seed=torch.from_numpy(rng.integers(2**32, size=size)) if config.noisy_reference else torch.empty(0),
        reference_size=torch.tensor([example.color.shape[:2] for example in examples]),
        reference_noise=_float_tensor(rng.standard_normal(latent_shape)) if config.encoded_reference else torch.empty(0),
        has_white_background=torch.empty(0),
        whiteness=torch.empty(0),
        background=torch.empty(0),
    )
    return _draw_background(data, numbers, crop, rng, config, batch) if config.bleached_background else batch


def _draw_background(
    data: ImageDataset, numbers: NDArray[np.int64], crop: Crop, rng: np.random.Generator, config: BatchConfig, batch: Batch
) -> Batch:
    """The batch with what bleaching takes, and with masks united where that is drawn."""
    size = len(numbers)
    is_white, whiteness = rng.random(size) < config.white_background, rng.uniform(*WHITENESS, size)
    mask = batch.mask
    if config.merged_masks:
        is_merged = rng.random(size) < config.merged_masks
        # Of any other image, so that batches of one have masks of several figures, too.
        others = (numbers + rng.integers(1, max(len(data), 2), size=size)) % len(data)
        for row in np.flatnonzero(is_merged):
            other = to_unit_tensor([apply_crop(data.read_mask(int(others[row])), crop)])
            mask[row : row + 1] = torch.maximum(mask[row : row + 1], other)
    return batch._replace(mask=mask, has_white_background=torch.from_numpy(is_white), whiteness=_float_tensor(whiteness))


def _require_mask(example: Example) -> NDArray[np.uint8]:
    assert example.mask is not None  # the data set was opened with masks
    return example.mask


def _float_tensor(values: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))
