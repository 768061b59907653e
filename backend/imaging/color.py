"""sRGB to CIE Lab and back, and alpha over white."""

from typing import Any

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from backend.imaging.types import Floats, Rgb, Rgba


def lab_from_rgb(rgb: Rgb | Floats) -> Floats:
    """CIE L*a*b* (..., 3) float32 (L 0..100) from sRGB (..., 3): uint8 0..255 or float32 0..1 (cv2's D65 formulas)."""
    values = rgb.astype(np.float32) / 255 if rgb.dtype == np.uint8 else rgb.astype(np.float32)
    lab: Any = cv2.cvtColor(np.ascontiguousarray(values).reshape(-1, 1, 3), cv2.COLOR_RGB2Lab)
    return lab.reshape(rgb.shape)


def rgb_from_lab(lab: Floats) -> Floats:
    """Colors (..., 3) float32 sRGB, clipped to 0..1, from CIE L*a*b* (..., 3) float32."""
    rgb: Any = cv2.cvtColor(np.ascontiguousarray(lab, np.float32).reshape(-1, 1, 3), cv2.COLOR_Lab2RGB)
    return np.clip(rgb, 0, 1).reshape(lab.shape)


def to_bytes(rgb: NDArray[np.floating]) -> Rgb:
    """uint8 0..255 from 0..1, rounded."""
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


@numba.njit(cache=True, nogil=True)
def _over_white(rgba: Any, out: Any) -> None:
    for y in range(rgba.shape[0]):
        for x in range(rgba.shape[1]):
            # 32 bits, because products of bytes do not fit into 8; + 127 rounds to the nearest instead of down.
            alpha = np.uint32(rgba[y, x, 3])
            for c in range(3):
                out[y, x, c] = (rgba[y, x, c] * alpha + 255 * (255 - alpha) + 127) // 255


def on_white(rgba: Rgba) -> Rgb:
    """(h, w, 3) uint8: straight-alpha (h, w, 4) composited over white."""
    out = np.empty((*rgba.shape[:2], 3), np.uint8)
    _over_white(rgba, out)
    return out
