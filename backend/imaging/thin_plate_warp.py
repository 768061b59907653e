"""The warp AnimeDiffusion sees its references through: a thin-plate spline that moves two points of the image's diagonal.

Sources: spec animediffusion 4.1; F. L. Bookstein, "Principal Warps", IEEE PAMI 11(6), 1989.
"""

from dataclasses import astuple, dataclass
from typing import Any

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator

from backend.imaging.types import Floats, Rgb

POINT_RANGE = (0.3, 0.7)
"""Where on the diagonal the points lie, as shares of it."""
SHIFT_RANGE = (-0.25, 0.25)
"""How far the points are moved along the diagonal, as shares of it."""
CORNERS = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))


@dataclass(frozen=True)
class ThinPlateWarp:
    """Two points of the diagonal are moved along it; the corners stay.  Shares of width and height."""

    first: float
    """The first point is (first, first)."""
    second: float
    """The second point is (second, second)."""
    first_shift: float
    """Added to both coordinates of the first point."""
    second_shift: float
    """Added to both coordinates of the second point."""


def random_warp(rng: np.random.Generator) -> ThinPlateWarp:
    """Points and shifts drawn evenly, rounded to hundredths; drawn again when both points would meet."""
    while True:
        first, second = (round(float(value), 2) for value in rng.uniform(*POINT_RANGE, 2))
        first_shift, second_shift = (round(float(value), 2) for value in rng.uniform(*SHIFT_RANGE, 2))
        if round(first + first_shift, 2) != round(second + second_shift, 2):
            return ThinPlateWarp(first, second, first_shift, second_shift)


def warp_maps(warp: ThinPlateWarp, width: int, height: int, span: tuple[int, int]) -> tuple[Floats, Floats]:
    """The x and the y of the position that each pixel is taken from, (height, width) float32; ``span``: pixels of a whole side.

    The grid is 0..1, both ends included.  The published span is (width, height), so that the last row and column lie outside.
    """
    first, second, first_shift, second_shift = astuple(warp)
    before = np.array([*CORNERS, (first, first), (second, second)])
    after = before.copy()
    after[4] += first_shift
    after[5] += second_shift
    grid = np.stack(np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height)), -1).reshape(-1, 2)
    # The spline leads from moved points back to the original ones, because each pixel asks where it comes from.
    positions = grid + RBFInterpolator(after, before - after, kernel="thin_plate_spline", degree=1)(grid)
    x, y = (positions * span).astype(np.float32).reshape(height, width, 2).transpose(2, 0, 1)
    return np.ascontiguousarray(x), np.ascontiguousarray(y)


def warp_published(rgb: Rgb, warp: ThinPlateWarp) -> Rgb:
    """The image (h, w, 3) warped as published: bicubic, black comes in from outside."""
    height, width = rgb.shape[:2]
    return remap(rgb, *warp_maps(warp, width, height, (width, height)))


def warp_inside(rgb: Rgb, warp: ThinPlateWarp) -> Rgb:
    """``warp_published`` with a span that keeps the last row and column inside the image."""
    height, width = rgb.shape[:2]
    return remap(rgb, *warp_maps(warp, width, height, (width - 1, height - 1)))


def remap(rgb: Rgb, x: Floats, y: Floats) -> Rgb:
    """The image (h, w, 3) with each pixel taken from (x, y); bicubic, black outside."""
    source: Any = np.ascontiguousarray(rgb)
    return np.asarray(cv2.remap(source, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT), np.uint8)
