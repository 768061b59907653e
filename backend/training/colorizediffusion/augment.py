"""Augmentation of images and references (spec 21.6): drawn once for a batch, wiped borders once for an image."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from backend.imaging.types import Gray, Rgb

Size = tuple[int, int]
"""Height and width."""
MULTI_ASPECT: tuple[Size, ...] = (
    *[(768, 768)] * 4,
    (704, 832),
    (832, 704),
    (896, 640),
    (640, 896),
    (960, 576),
    (576, 960),
)
"""The crops of the shipped configuration (spec 21.2); the published 512 checkpoints come from crops of 512."""
BLOCK = (60, 40)
"""Height and width of the blocks that reference masks are expanded to."""
PAPER = 255


@dataclass(frozen=True)
class Augmentation:
    """What is drawn, and from which ranges."""

    crops: tuple[Size, ...] = ((512, 512),)
    """One is drawn for each batch; sides are multiples of 64."""
    load_size: int = 577
    """Largest shorter side before cropping, exclusive; also the side of references."""
    flip: bool = False
    """Whether half of the batches are mirrored."""
    reference_flip: bool = False
    """Whether the references of half of the batches are mirrored."""
    max_border: int = 150
    """Most rows or columns of lines that are wiped at an edge."""
    max_rotation: float = 0.0
    """Most degrees that references are rotated."""
    color_jitter: float = 0.0
    """Most change of the references' brightness, contrast and saturation."""
    erase_share: float = 0.0
    """Share of batches in whose reference masks a rectangle becomes foreground."""
    warp_share: float = 0.0
    """Share of batches whose references are warped."""
    expand_masks: bool = True
    """Whether reference masks are expanded to blocks."""


@dataclass(frozen=True)
class Crop:
    """Where the images of a batch are cropped: resized to a shorter side of ``load``, then a box is cut out."""

    height: int
    """Of the box, pixels."""
    width: int
    """Of the box, pixels."""
    load: int
    """Pixels."""
    top: int
    left: int
    flipped: bool
    """Whether left and right are swapped."""


def random_crop(rng: np.random.Generator, augmentation: Augmentation) -> Crop:
    """The crop of a batch."""
    height, width = augmentation.crops[int(rng.integers(len(augmentation.crops)))]
    longer = max(height, width)
    load = int(rng.integers(longer, max(augmentation.load_size, longer + 1)))
    top, left = int(rng.integers(load - height + 1)), int(rng.integers(load - width + 1))
    return Crop(height, width, load, top, left, augmentation.flip and bool(rng.integers(-45, 45) > 0))


def apply_crop(image: NDArray[np.uint8], crop: Crop) -> NDArray[np.uint8]:
    """(H, W) or (H, W, 3) -> (height, width[, 3]), bicubic."""
    height, width = _resized_size(image, crop.load)
    oriented = Image.fromarray(np.ascontiguousarray(image[:, ::-1]) if crop.flipped else image)
    box = (crop.left, crop.top, crop.left + crop.width, crop.top + crop.height)
    return np.asarray(oriented.resize((width, height), Image.Resampling.BICUBIC).crop(box))


def center_crop(image: NDArray[np.uint8], size: Size) -> Crop:
    """A crop of that size from the middle of (H, W) or (H, W, 3), whose shorter side is first made max(size) long."""
    load = max(size)
    height, width = _resized_size(image, load)
    return Crop(*size, load, (height - size[0]) // 2, (width - size[1]) // 2, False)


def _resized_size(image: NDArray[np.uint8], load: int) -> Size:
    """The size of an image after its shorter side is made ``load`` long."""
    scale = load / min(image.shape[:2])
    height, width = (max(load, round(side * scale)) for side in image.shape[:2])
    return height, width


@dataclass(frozen=True)
class ReferenceTransform:
    """How the references of a batch are changed."""

    side: int
    """References are stretched to a square of this side."""
    flipped: bool
    """Whether left and right are swapped."""
    degrees: float
    """Rotation."""
    brightness: float
    """A factor, as are contrast and saturation."""
    contrast: float
    """1 = unchanged."""
    saturation: float
    """1 = unchanged."""


def random_reference_transform(rng: np.random.Generator, augmentation: Augmentation) -> ReferenceTransform:
    """The transform of a batch's references, independent of the crop."""
    flipped = augmentation.reference_flip and bool(rng.integers(-45, 45) > 0)
    degrees = float(rng.uniform(-augmentation.max_rotation, augmentation.max_rotation))
    jitter = augmentation.color_jitter
    brightness, contrast, saturation = (float(value) for value in rng.uniform(1 - jitter, 1 + jitter, 3))
    return ReferenceTransform(augmentation.load_size, flipped, degrees, brightness, contrast, saturation)


def transform_reference(image: Rgb, transform: ReferenceTransform) -> Rgb:
    """(H, W, 3) -> (side, side, 3); a rotation brings in white."""
    resized = _resize_and_rotate(image, transform, (PAPER, PAPER, PAPER))
    if (transform.brightness, transform.contrast, transform.saturation) == (1, 1, 1):
        return resized
    colors = resized.astype(np.float32) * transform.brightness
    mean = colors.mean()
    colors = (colors - mean) * transform.contrast + mean
    gray = colors.mean(-1, keepdims=True)
    return np.clip((colors - gray) * transform.saturation + gray, 0, 255).astype(np.uint8)


def transform_reference_mask(mask: Gray, transform: ReferenceTransform) -> Gray:
    """The same for the mask of a reference: (H, W) -> (side, side); a rotation brings in 0."""
    return _resize_and_rotate(mask, transform, 0)


def _resize_and_rotate(
    image: NDArray[np.uint8], transform: ReferenceTransform, fill: int | tuple[int, ...]
) -> NDArray[np.uint8]:
    oriented = Image.fromarray(np.ascontiguousarray(image[:, ::-1]) if transform.flipped else image)
    resized = oriented.resize((transform.side, transform.side), Image.Resampling.BICUBIC)
    if transform.degrees:
        resized = resized.rotate(transform.degrees, Image.Resampling.BICUBIC, fillcolor=fill)
    return np.asarray(resized)


def wipe_border(rng: np.random.Generator, sketch: Gray, most: int) -> Gray:
    """(H, W) with white at top and bottom, left and right, both or neither, at most ``most`` pixels wide."""
    rows = int(rng.integers(most + 1))
    columns = rows
    kind = int(rng.integers(4))
    if kind == 2:
        columns = int(rng.integers(min(100, most) + 1))
    wiped = sketch.copy()
    if kind in (0, 2) and rows:
        wiped[:rows], wiped[-rows:] = PAPER, PAPER
    if kind in (1, 2) and columns:
        wiped[:, :columns], wiped[:, -columns:] = PAPER, PAPER
    return wiped


def erase_rectangle(rng: np.random.Generator, mask: Gray) -> Gray:
    """(H, W) with a rectangle of 2 % to a third of the area made foreground, so that no background is taken from there."""
    height, width = mask.shape
    area, aspect = rng.uniform(0.02, 0.33) * height * width, np.exp(rng.uniform(np.log(0.3), np.log(3.3)))
    h = int(min(height, round((area * aspect) ** 0.5)))
    w = int(min(width, round((area / aspect) ** 0.5)))
    top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    erased = mask.copy()
    erased[top : top + h, left : left + w] = 255
    return erased


def expand_to_blocks(masks: Tensor) -> Tensor:
    """(B, 1, H, W) masks in which each block takes its largest value; rows and columns beyond the last block become 0."""
    height, width = masks.shape[-2:]
    blocks = F.max_pool2d(masks, BLOCK)
    expanded = blocks.repeat_interleave(BLOCK[0], -2).repeat_interleave(BLOCK[1], -1)
    return F.pad(expanded, (0, width - expanded.shape[-1], 0, height - expanded.shape[-2]))


def to_signed_tensor(images: list[Rgb]) -> Tensor:
    """(H, W, 3) images of one size -> (B, 3, H, W) in -1..1."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_unit_tensor(masks: list[Gray]) -> Tensor:
    """(H, W) masks of one size -> (B, 1, H, W) in 0..1."""
    return torch.from_numpy(np.stack(masks))[:, None].float() / 255
