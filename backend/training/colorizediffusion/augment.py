"""What is done to pictures before they are learned from (spec 21.6): drawn once for a batch, borders once for a picture."""

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
"""Height and width of the blocks that reference masks grow to."""
PAPER = 255


@dataclass(frozen=True)
class Augmentation:
    """How much is drawn.

    crops: one is drawn for each batch, with sides in multiples of 64.  load_size: largest side before cropping, exclusive, and
    the side of references.  border: most rows or columns of lines to wipe at an edge.  turn: most degrees a reference is
    turned by.  jitter: most that its brightness, contrast and saturation change.  erase: share of reference masks of which a
    rectangle becomes figure.  warp: share of batches whose references are warped.
    """

    crops: tuple[Size, ...] = ((512, 512),)
    load_size: int = 577
    flip: bool = False
    reference_flip: bool = False
    max_border: int = 150
    max_rotation: float = 0.0
    color_jitter: float = 0.0
    erase_share: float = 0.0
    warp_share: float = 0.0
    expand_masks: bool = True


@dataclass(frozen=True)
class Crop:
    """Where a batch's pictures are cut: the shorter side is made ``load`` long, then ``height`` x ``width`` from there."""

    height: int
    width: int
    load: int
    top: int
    left: int
    flipped: bool


def random_crop(rng: np.random.Generator, how: Augmentation) -> Crop:
    """One for a batch."""
    height, width = how.crops[int(rng.integers(len(how.crops)))]
    longer = max(height, width)
    load = int(rng.integers(longer, max(how.load_size, longer + 1)))
    top, left = int(rng.integers(load - height + 1)), int(rng.integers(load - width + 1))
    return Crop(height, width, load, top, left, how.flip and bool(rng.integers(-45, 45) > 0))


def apply_crop(picture: NDArray[np.uint8], where: Crop) -> NDArray[np.uint8]:
    """(H, W) or (H, W, 3) -> that crop, bicubic."""
    height, width = _resized_size(picture, where.load)
    shown = Image.fromarray(np.ascontiguousarray(picture[:, ::-1]) if where.flipped else picture)
    box = (where.left, where.top, where.left + where.width, where.top + where.height)
    return np.asarray(shown.resize((width, height), Image.Resampling.BICUBIC).crop(box))


def center_crop(picture: NDArray[np.uint8], crop: Size) -> Crop:
    """That crop from the middle of (H, W) or (H, W, 3), whose shorter side is made as long as the crop's longer one."""
    load = max(crop)
    height, width = _resized_size(picture, load)
    return Crop(*crop, load, (height - crop[0]) // 2, (width - crop[1]) // 2, False)


def _resized_size(picture: NDArray[np.uint8], load: int) -> Size:
    """The size of a picture whose shorter side is made ``load`` long."""
    scale = load / min(picture.shape[:2])
    height, width = (max(load, round(side * scale)) for side in picture.shape[:2])
    return height, width


@dataclass(frozen=True)
class ReferenceTransform:
    """How a batch's references are shown: squashed to ``side``, turned by degrees, colors times factors."""

    side: int
    flipped: bool
    degrees: float
    brightness: float
    contrast: float
    saturation: float


def random_reference_transform(rng: np.random.Generator, how: Augmentation) -> ReferenceTransform:
    """One for a batch, independent of the framing."""
    flipped = how.reference_flip and bool(rng.integers(-45, 45) > 0)
    degrees = float(rng.uniform(-how.max_rotation, how.max_rotation))
    brightness, contrast, saturation = (float(value) for value in rng.uniform(1 - how.color_jitter, 1 + how.color_jitter, 3))
    return ReferenceTransform(how.load_size, flipped, degrees, brightness, contrast, saturation)


def transform_reference(picture: Rgb, pose: ReferenceTransform) -> Rgb:
    """(H, W, 3) -> (side, side, 3); white comes in where it was turned."""
    squashed = _resize_and_rotate(picture, pose, (PAPER, PAPER, PAPER))
    if (pose.brightness, pose.contrast, pose.saturation) == (1, 1, 1):
        return squashed
    colors = squashed.astype(np.float32) * pose.brightness
    mean = colors.mean()
    colors = (colors - mean) * pose.contrast + mean
    gray = colors.mean(-1, keepdims=True)
    return np.clip((colors - gray) * pose.saturation + gray, 0, 255).astype(np.uint8)


def transform_reference_mask(mask: Gray, pose: ReferenceTransform) -> Gray:
    """``posed`` for the mask of that picture: (H, W) -> (side, side), 0 comes in."""
    return _resize_and_rotate(mask, pose, 0)


def _resize_and_rotate(
    picture: NDArray[np.uint8], pose: ReferenceTransform, outside: int | tuple[int, ...]
) -> NDArray[np.uint8]:
    shown = Image.fromarray(np.ascontiguousarray(picture[:, ::-1]) if pose.flipped else picture)
    shown = shown.resize((pose.side, pose.side), Image.Resampling.BICUBIC)
    if pose.degrees:
        shown = shown.rotate(pose.degrees, Image.Resampling.BICUBIC, fillcolor=outside)
    return np.asarray(shown)


def wipe_border(rng: np.random.Generator, sketch: Gray, most: int) -> Gray:
    """(H, W) with white at top and bottom, left and right, both or neither, ``most`` pixels wide at most; own draw."""
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
    """(H, W) with a rectangle of 2 % to a third of it made figure: what the reference shows there is not to be relied on."""
    height, width = mask.shape
    area, aspect = rng.uniform(0.02, 0.33) * height * width, np.exp(rng.uniform(np.log(0.3), np.log(3.3)))
    h, w = (
        int(min(side, round(length))) for side, length in ((height, (area * aspect) ** 0.5), (width, (area / aspect) ** 0.5))
    )
    top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    changed = mask.copy()
    changed[top : top + h, left : left + w] = 255
    return changed


def expand_to_blocks(masks: Tensor) -> Tensor:
    """(B, 1, H, W) masks, each block as large as its largest value; what is left at the bottom and the right becomes 0."""
    height, width = masks.shape[-2:]
    blocks = F.max_pool2d(masks, BLOCK)
    grown = blocks.repeat_interleave(BLOCK[0], -2).repeat_interleave(BLOCK[1], -1)
    return F.pad(grown, (0, width - grown.shape[-1], 0, height - grown.shape[-2]))


def to_signed_tensor(pictures: list[Rgb]) -> Tensor:
    """(H, W, 3) pictures of one size -> (B, 3, H, W) in -1..1."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_unit_tensor(masks: list[Gray]) -> Tensor:
    """(H, W) masks of one size -> (B, 1, H, W) in 0..1."""
    return torch.from_numpy(np.stack(masks))[:, None].float() / 255
