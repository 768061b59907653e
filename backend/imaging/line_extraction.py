"""Lines of pictures that are no clean line drawing: scans, and colored pictures.  Ink is 255 = line."""

from typing import Any

import cv2
import numpy as np

from backend.imaging.color import on_white
from backend.imaging.ink import ink_from_rgba
from backend.imaging.resize import resize
from backend.imaging.types import Floats, Gray, Rgb, Rgba
from shared.line_preparation import LinePreparation

SIDE = 512
"""Shorter side that widths in pixels are meant for; in larger pictures they grow in proportion, as pens do."""
SCAN_BLUR = 6.0
"""Gaussian sigma of what is around a line in a scan."""
SCAN_FAINTEST, SCAN_FLOOR, SCAN_LEVEL = 8, 16.0, 127.0
"""Differences that count for the usual one, the least it may be, and what it becomes."""
DODGE_KERNEL, DODGE_LOW, DODGE_HIGH = 7, 0.4, 0.92
XDOG_SIGMA, XDOG_WIDER, XDOG_SHARPNESS, XDOG_LEVEL, XDOG_SLOPE = 1.0, 1.6, 36.0, 0.0, 4.0
"""sigma, k, p, epsilon and phi of ``xdog``; lightness is 0..1."""
FACE_SIGMAS = (0.3, 0.4, 0.5)
FACE_WIDER, FACE_SHARPNESS, FACE_LEVEL = 3.5, 10.0, 0.01
"""sigma (one of them), k, p and epsilon of ``xdog_binary``."""


def extract_ink(rgba: Rgba, preparation: LinePreparation) -> Gray:
    """Ink (h, w) of a line layer (h, w, 4), read as ``preparation`` says."""
    if preparation is LinePreparation.AS_DRAWN:
        return ink_from_rgba(rgba)
    if preparation is LinePreparation.WHITE_ON_BLACK:
        return brightness(rgba)
    rgb = on_white(rgba)
    if preparation is LinePreparation.SCAN:
        return ink_from_scan(rgb)
    return dodge_lines(rgb) if preparation is LinePreparation.DODGE else xdog(rgb)


def brightness(rgba: Rgba) -> Gray:
    """The brightest channel over black: a drawing in white on black, or in white on nothing, is its own ink."""
    alpha = rgba[..., 3].astype(np.uint16)
    return ((rgba[..., :3].max(-1) * alpha + 127) // 255).astype(np.uint8)


def ink_from_scan(rgb: Rgb) -> Gray:
    """How much darker a pixel is than the blurred picture around it, in the channel where that is least; a usual line has 127.

    The preparation "invert-webui" of spec section 18; its blur is in pixels of a model-size picture.
    """
    blurred = cv2.GaussianBlur(_shrunk(rgb).astype(np.float32), (0, 0), SCAN_BLUR)
    darker = np.full(rgb.shape[:2], 255, np.float32)
    for channel in range(3):  # one after the other: at 8192 x 8192 each takes 270 MB
        around = resize(np.ascontiguousarray(blurred[..., channel]), rgb.shape[1], rgb.shape[0])
        np.minimum(darker, around - rgb[..., channel], out=darker)
    np.maximum(darker, 0, out=darker)
    lines = darker[darker > SCAN_FAINTEST]
    usual = max(SCAN_FLOOR, float(np.median(lines))) if lines.size else SCAN_FLOOR
    return np.clip(darker * (SCAN_LEVEL / usual), 0, 255).astype(np.uint8)


def dodge(rgb: Rgb, kernel: int, low: float, high: float) -> Gray:
    """Ink of a colored picture: gray divided by dilated gray, so lines in dark paint are as strong as in light.

    No ink where the quotient is ``high`` or more, full ink where it is ``low`` or less.
    """
    gray = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY).astype(np.float32) + 6.0
    ratio = gray / cv2.dilate(gray, np.ones((kernel, kernel), np.uint8))
    return 255 - (np.clip((ratio - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def dodge_lines(rgb: Rgb) -> Gray:
    """``dodge`` with a kernel that grows with the picture."""
    half = max(1, round(DODGE_KERNEL // 2 * max(1.0, min(rgb.shape[:2]) / SIDE)))
    return dodge(rgb, 2 * half + 1, DODGE_LOW, DODGE_HIGH)


def xdog(rgb: Rgb) -> Gray:
    """Lines by the extended difference of Gaussians.

    Source: H. Winnemöller, J. E. Kyprianidis, S. C. Olsen, "XDoG: An eXtended difference-of-Gaussians compendium including
    advanced image stylization", Computers & Graphics 36(6), 2012, equations 5 and 7: S = (1 + p) G(sigma) - p G(k sigma) of the
    lightness; paper where S is at least epsilon, else 1 + tanh(phi (S - epsilon)).  With epsilon 0 dark areas are left
    unfilled.  S is smooth, so it is computed at ``SIDE`` and thresholded at full size, which keeps lines crisp.
    """
    gray: Any = cv2.cvtColor(_shrunk(rgb), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    sharp = _sharpened(gray, XDOG_SIGMA, XDOG_WIDER, XDOG_SHARPNESS)
    above = np.minimum(resize(sharp, rgb.shape[1], rgb.shape[0]) - XDOG_LEVEL, 0)
    return np.rint(-255 * np.tanh(XDOG_SLOPE * above)).astype(np.uint8)


def xdog_binary(rgb: Rgb, sigma: float) -> Gray:
    """Ink (h, w) as AnimeDiffusion's data has it: XDoG of every pixel as it is, 255 or 0 and nothing between.

    Spec animediffusion 4.2: the lightness times S of ``xdog``, ink where that is below epsilon (the slope is 1e9, so that there
    are no steps between).  Dark areas are filled.
    """
    gray: Any = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return np.where(gray * _sharpened(gray, sigma, FACE_WIDER, FACE_SHARPNESS) < FACE_LEVEL, 255, 0).astype(np.uint8)


def _sharpened(gray: Floats, sigma: float, wider: float, sharpness: float) -> Floats:
    """S = (1 + p) G(sigma) - p G(k sigma) of lightness (h, w) 0..1."""
    source: Any = gray
    narrow, wide = cv2.GaussianBlur(source, (0, 0), sigma), cv2.GaussianBlur(source, (0, 0), sigma * wider)
    return (1 + sharpness) * narrow - sharpness * wide


def _shrunk(rgb: Rgb) -> Rgb:
    """The picture with its shorter side at most ``SIDE``."""
    height, width = rgb.shape[:2]
    scale = min(1.0, SIDE / min(height, width))
    return resize(np.ascontiguousarray(rgb), max(1, round(width * scale)), max(1, round(height * scale)))
