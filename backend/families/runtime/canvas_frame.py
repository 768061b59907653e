"""Places the canvas in a model's image and takes it out again, for families that color whole images at their own size."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from backend.contract.drawing import Drawing
from backend.imaging.color import to_bytes
from backend.imaging.resize import resize
from backend.imaging.segmentation.regions import region_medians
from backend.imaging.types import Floats, Gray, Rgb

PREVIEW_SIDE = 256
"""Longest side of a preview, pixels."""


@dataclass(frozen=True)
class SideRange:
    """The sides that a model's image may have: multiples of ``unit`` from ``smallest`` to ``largest``, pixels."""

    unit: int
    """Pixels."""
    smallest: int
    """Pixels; a multiple of ``unit``."""
    largest: int
    """Pixels; a multiple of ``unit``."""

    def nearest(self, side: float) -> int:
        """The allowed side nearest to this one."""
        return min(self.largest, max(self.smallest, round(side / self.unit) * self.unit))


@dataclass(frozen=True)
class CanvasFrame:
    """Where the canvas lies in a model's image: the rectangle ``width`` x ``height`` at ``left``, ``top``, pixels."""

    image_width: int
    image_height: int
    left: int
    top: int
    width: int
    height: int


def frame_canvas(canvas_width: int, canvas_height: int, side: int, sides: SideRange) -> CanvasFrame:
    """An image of about side^2 pixels, as nearly of the canvas's shape as ``sides`` allows, with the canvas centered in it."""
    aspect = math.sqrt(canvas_width / canvas_height)
    image_width, image_height = (sides.nearest(side * a) for a in (aspect, 1 / aspect))
    scale = min(image_width / canvas_width, image_height / canvas_height)
    width, height = max(1, round(canvas_width * scale)), max(1, round(canvas_height * scale))
    left, top = (image_width - width) // 2, (image_height - height) // 2
    return CanvasFrame(image_width, image_height, left, top, width, height)


def to_model_canvas(gray: Gray, place: CanvasFrame) -> Floats:
    """(H, W) float32 0..1: a canvas-size uint8 image in its frame, 0 around it."""
    image = np.zeros((place.image_height, place.image_width), np.float32)
    inner = image[place.top : place.top + place.height, place.left : place.left + place.width]
    inner[...] = resize(gray, place.width, place.height).astype(np.float32) / 255
    return image


def from_model_canvas(image: Tensor, place: CanvasFrame) -> Floats:
    """(h, w, 3) float32 sRGB 0..1 of the canvas, from the model's image (1, 3, H, W) in -1..1, clamped."""
    inner = image[0, :, place.top : place.top + place.height, place.left : place.left + place.width]
    return np.ascontiguousarray(((inner.float().clamp(-1, 1) + 1) / 2).permute(1, 2, 0).cpu().numpy())


def rgb_to_tensor(rgb: Rgb) -> Tensor:
    """(1, 3, h, w) in -1..1 from (h, w, 3) uint8."""
    return torch.from_numpy(rgb.astype(np.float32).transpose(2, 0, 1).copy())[None] / 127.5 - 1


def preview_image(image: Rgb, place: CanvasFrame, cell: int) -> Rgb:
    """The canvas's part of an image whose pixels are each ``cell`` pixels of the model's image; longest side 256."""
    top, left = place.top // cell, place.left // cell
    rows, columns = max(1, place.height // cell), max(1, place.width // cell)
    inner = image[top : top + rows, left : left + columns]
    scale = PREVIEW_SIDE / max(inner.shape[:2])
    return resize(np.ascontiguousarray(inner), max(1, round(inner.shape[1] * scale)), max(1, round(inner.shape[0] * scale)))


def region_medians_of_field(field: Floats, drawing: Drawing) -> Rgb:
    """(count, 3) uint8: the median of a color field (h, w, 3) 0..1 in each region of the drawing, lines left out."""
    regions = drawing.regions
    height, width = regions.labels.shape
    colors = to_bytes(resize(field, width, height))
    return region_medians(regions.labels, regions.count, colors, ~regions.ink)[0]
