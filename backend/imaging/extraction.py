"""Lines of pictures that are no clean line drawing: scans, and coloured pictures.  Ink is 255 = line."""

from typing import Any

import cv2
import numpy as np

from backend.imaging.colour import on_white
from backend.imaging.lineart import ink_from_rgba
from backend.imaging.resampling import resize
from backend.imaging.types import Floats, Gray, Rgb, Rgba
from shared.lines import LinePreparation

SIDE = 512
"""Shorter side that widths in pixels are meant for; in larger pictures they grow in proportion, as pens do."""
SCAN_BLUR = 6.0
"""Gaussian sigma of what is around a line in a scan."""
SCAN_FAINTEST, SCAN_FLOOR, SCAN_LEVEL = 8, 16.0, 127.0
"""Differences that count for the usual one, the least it may be, and what it becomes."""
DODGE_KERNEL, DODGE_LOW, DODGE_HIGH = 7, 0.4, 0.92
XDOG_SIGMA, XDOG_WIDER, XDOG_SHARPNESS, XDOG_LEVEL, XDOG_SLOPE = 1.0, 1.6, 36.0, 0.0, 4.0
"""sigma, k, p, epsilon and phi of ``xdog``; lightness is 0..1."""


def prepared_ink(rgba: Rgba, preparation: LinePreparation) -> Gray:
    """Ink (h, w) of a line layer (h, w, 4), read as ``preparation`` says."""
    if preparation is LinePreparation.AS_DRAWN:
        return ink_from_rgba(rgba)
    if preparation is LinePreparation.WHITE_ON_BLACK:
        return brightness(rgba)
    rgb = on_white(rgba)
    if preparation is LinePreparation.SCAN:
        return scanned(rgb)
    return dodged(rgb) if preparation is LinePreparation.DODGE else xdog(rgb)


def brightness(rgba: Rgba) -> Gray:
    """The brightest channel over black: a drawing in white on black, or in white on nothing, is its own ink."""
    alpha = rgba[..., 3].astype(np.uint16)
    return ((rgba[..., :3].max(-1) * alpha + 127) // 255).astype(np.uint8)


def scanned(rgb: Rgb) -> Gray:
    """How much darker a pixel is than the blurred picture around it, in the channel where that is least; a usual line has 127.

    The preparation "invert-webui" of spec section 18; its blur is in pixels of a model-size picture.
    """
    small = _shrunk(rgb)
    around = resize(cv2.GaussianBlur(small.astype(np.float32), (0, 0), SCAN_BLUR), rgb.shape[1], rgb.shape[0])
    darker = np.clip((around - rgb).min(-1), 0, 255)
    lines = darker[darker > SCAN_FAINTEST]
    usual = max(SCAN_FLOOR, float(np.median(lines))) if lines.size else SCAN_FLOOR
    return np.clip(darker * (SCAN_LEVEL / usual), 0, 255).astype(np.uint8)


def divided(rgb: Rgb, kernel: int, low: float, high: float) -> Gray:
    """Ink of a coloured picture: grey divided by dilated grey, so lines in dark paint are as strong as in light.

    No ink where the quotient is ``high`` or more, full ink where it is ``low`` or less.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY).astype(np.float32) + 6.0
    ratio = grey / cv2.dilate(grey, np.ones((kernel, kernel), np.uint8))
    return 255 - (np.clip((ratio - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def dodged(rgb: Rgb) -> Gray:
    """``divided`` with a kernel that grows with the picture."""
    half = max(1, round(DODGE_KERNEL // 2 * max(1.0, min(rgb.shape[:2]) / SIDE)))
    return divided(rgb, 2 * half + 1, DODGE_LOW, DODGE_HIGH)


def xdog(rgb: Rgb) -> Gray:
    """Lines by the extended difference of Gaussians.

    Source: H. Winnemöller, J. E. Kyprianidis, S. C. Olsen, "XDoG: An eXtended difference-of-Gaussians compendium including
    advanced image stylization", Computers & Graphics 36(6), 2012, equations 5 and 7: S = (1 + p) G(sigma) - p G(k sigma) of the
    lightness; paper where S is at least epsilon, else 1 + tanh(phi (S - epsilon)).  With epsilon 0 dark areas are left
    unfilled.  S is smooth, so it is computed at ``SIDE`` and thresholded at full size, which keeps lines crisp.
    """
    grey: Any = cv2.cvtColor(_shrunk(rgb), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    narrow, wide = cv2.GaussianBlur(grey, (0, 0), XDOG_SIGMA), cv2.GaussianBlur(grey, (0, 0), XDOG_SIGMA * XDOG_WIDER)
    sharpened: Floats = (1 + XDOG_SHARPNESS) * narrow - XDOG_SHARPNESS * wide
    above = np.minimum(resize(sharpened, rgb.shape[1], rgb.shape[0]) - XDOG_LEVEL, 0)
    return np.rint(-255 * np.tanh(XDOG_SLOPE * above)).astype(np.uint8)


def _shrunk(rgb: Rgb) -> Rgb:
    """The picture with its shorter side at most ``SIDE``."""
    height, width = rgb.shape[:2]
    scale = min(1.0, SIDE / min(height, width))
    return resize(np.ascontiguousarray(rgb), max(1, round(width * scale)), max(1, round(height * scale)))
