"""The canvas in a model's picture and back: for every family that paints a whole picture at a size of its own."""

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


@dataclass(frozen=True)
class SideRange:
    """What sides a model's picture may have: multiples of ``unit`` from ``smallest`` to ``largest``."""

    unit: int
    smallest: int
    largest: int

    def nearest(self, side: float) -> int:
        """The allowed side next to this one."""
        return min(self.largest, max(self.smallest, round(side / self.unit) * self.unit))


@dataclass(frozen=True)
class CanvasFrame:
    """Where the canvas lies in the model's picture: ``width`` x ``height`` of it, from ``left`` and ``top``, is the canvas."""

    image_width: int
    image_height: int
    left: int
    top: int
    width: int
    height: int


def frame_canvas(canvas_width: int, canvas_height: int, side: int, sides: SideRange) -> CanvasFrame:
    """The model's picture for a canvas, which lies centerd in it: about side^2 pixels."""
    aspect = math.sqrt(canvas_width / canvas_height)
    picture_width, picture_height = (sides.nearest(side * a) for a in (aspect, 1 / aspect))
    scale = min(picture_width / canvas_width, picture_height / canvas_height)
    width, height = max(1, round(canvas_width * scale)), max(1, round(canvas_height * scale))
    left, top = (picture_width - width) // 2, (picture_height - height) // 2
    return CanvasFrame(picture_width, picture_height, left, top, width, height)


def to_model_canvas(gray: Gray, place: CanvasFrame) -> Floats:
    """(H, W) float32 0..1: the canvas-size uint8 picture in its frame, 0 around it."""
    picture = np.zeros((place.image_height, place.image_width), np.float32)
    inner = picture[place.top : place.top + place.height, place.left : place.left + place.width]
    inner[...] = resize(gray, place.width, place.height).astype(np.float32) / 255
    return picture


def from_model_canvas(picture: Tensor, place: CanvasFrame) -> Floats:
    """(h, w, 3) float32 sRGB 0..1 of the canvas, from the model's picture (1, 3, H, W) in -1..1, clamped."""
    inner = picture[0, :, place.top : place.top + place.height, place.left : place.left + place.width]
    return np.ascontiguousarray(((inner.float().clamp(-1, 1) + 1) / 2).permute(1, 2, 0).cpu().numpy())


def rgb_to_tensor(rgb: Rgb) -> Tensor:
    """(1, 3, h, w) in -1..1 from (h, w, 3) uint8."""
    return torch.from_numpy(rgb.astype(np.float32).transpose(2, 0, 1).copy())[None] / 127.5 - 1


def preview_image(picture: Rgb, place: CanvasFrame, cell: int) -> Rgb:
    """The canvas's part of a picture of which a pixel is ``cell`` of the model's, longest side 256."""
    top, left = place.top // cell, place.left // cell
    rows, columns = max(1, place.height // cell), max(1, place.width // cell)
    inner = picture[top : top + rows, left : left + columns]
    scale = PREVIEW_SIDE / max(inner.shape[:2])
    return resize(np.ascontiguousarray(inner), max(1, round(inner.shape[1] * scale)), max(1, round(inner.shape[0] * scale)))


def region_medians_of_field(field: Floats, drawing: Drawing) -> Rgb:
    """(count, 3) uint8: the median of each region of the drawing in a field (h, w, 3) 0..1, lines left out."""
    regions = drawing.regions
    height, width = regions.labels.shape
    picture = to_bytes(resize(field, width, height))
    return region_medians(regions.labels, regions.count, picture, ~regions.ink)[0]
