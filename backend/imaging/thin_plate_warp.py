"""The bend AnimeDiffusion sees its references through: a thin-plate spline that moves two points of a picture's diagonal.

Spec animediffusion 4.1; Bookstein 1989.
"""

from dataclasses import astuple, dataclass
from typing import Any

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator

from backend.imaging.types import Floats, Rgb

POINT_RANGE, SHIFT_RANGE = (0.3, 0.7), (-0.25, 0.25)
"""Where on the diagonal the points lie, and by how much they are moved along it, as shares of it."""
CORNERS = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))


@dataclass(frozen=True)
class ThinPlateWarp:
    """Points (first, first) and (second, second) are moved by these; shares of width and height.  The corners stay."""

    first: float
    second: float
    first_shift: float
    second_shift: float


def random_warp(rng: np.random.Generator) -> ThinPlateWarp:
    """Evenly drawn, to hundredths, again until the points do not meet."""
    while True:
        first, second = (round(float(value), 2) for value in rng.uniform(*POINT_RANGE, 2))
        first_by, second_by = (round(float(value), 2) for value in rng.uniform(*SHIFT_RANGE, 2))
        if round(first + first_by, 2) != round(second + second_by, 2):
            return ThinPlateWarp(first, second, first_by, second_by)


def warp_maps(warp: ThinPlateWarp, width: int, height: int, span: tuple[int, int]) -> tuple[Floats, Floats]:
    """For each pixel x and y of the place it is taken from, (height, width) float32; ``span`` is the pixels of a whole side.

    The grid is 0..1 with both ends.  The published span is (width, height), so that the last row and column lie outside.
    """
    first, second, first_by, second_by = astuple(warp)
    before = np.array([*CORNERS, (first, first), (second, second)])
    after = before.copy()
    after[4] += first_by
    after[5] += second_by
    grid = np.stack(np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height)), -1).reshape(-1, 2)
    places = grid + RBFInterpolator(after, before - after, kernel="thin_plate_spline", degree=1)(grid)
    x, y = (places * span).astype(np.float32).reshape(height, width, 2).transpose(2, 0, 1)
    return np.ascontiguousarray(x), np.ascontiguousarray(y)


def warp_published(rgb: Rgb, warp: ThinPlateWarp) -> Rgb:
    """The picture (h, w, 3) bent as published: bicubic, black comes in from outside."""
    height, width = rgb.shape[:2]
    return remap(rgb, *warp_maps(warp, width, height, (width, height)))


def warp_inside(rgb: Rgb, warp: ThinPlateWarp) -> Rgb:
    """``warp_published`` with the picture's ends where they belong: its last row and column stay."""
    height, width = rgb.shape[:2]
    return remap(rgb, *warp_maps(warp, width, height, (width - 1, height - 1)))


def remap(rgb: Rgb, x: Floats, y: Floats) -> Rgb:
    """The picture with each pixel taken from (x, y); bicubic, black outside."""
    source: Any = np.ascontiguousarray(rgb)
    return np.asarray(cv2.remap(source, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT), np.uint8)
