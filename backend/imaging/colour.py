"""Colour: sRGB to Lab and back, alpha over white, compositing."""

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.imaging.types import Floats, Rgb, Rgba


def lab_from_rgb(rgb: Rgb | Floats) -> Floats:
    """CIE L*a*b* (..., 3) float32 (L 0..100) from sRGB (..., 3): uint8 0..255 or float32 0..1 (cv2's D65 formulas)."""
    values = rgb.astype(np.float32) / 255 if rgb.dtype == np.uint8 else rgb.astype(np.float32)
    return cv2.cvtColor(np.ascontiguousarray(values).reshape(-1, 1, 3), cv2.COLOR_RGB2Lab).reshape(rgb.shape)


def rgb_from_lab(lab: Floats) -> Floats:
    """sRGB (..., 3) float32, clipped to 0..1, from CIE L*a*b* (..., 3) float32."""
    values = np.ascontiguousarray(lab, np.float32).reshape(-1, 1, 3)
    return np.clip(cv2.cvtColor(values, cv2.COLOR_Lab2RGB), 0, 1).reshape(lab.shape)


def to_bytes(rgb: NDArray[np.floating]) -> Rgb:
    """uint8 0..255 from 0..1, rounded."""
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


def on_white(rgba: Rgba) -> Rgb:
    """(h, w, 3) uint8: straight-alpha (h, w, 4) composited over white."""
    alpha = rgba[..., 3:].astype(np.uint16)
    return ((rgba[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
