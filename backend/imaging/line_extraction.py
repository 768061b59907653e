"""Extracts lines where a layer is no clean line drawing: from scans and from colored images.  Ink is 255 = line."""

from typing import Any

import cv2
import numpy as np

from backend.imaging.color import on_white
from backend.imaging.ink import ink_from_rgba
from backend.imaging.resize import resize
from backend.imaging.types import Floats, Gray, Rgb, Rgba
from shared.line_preparation import LinePreparation

BASE_SIDE = 512
"""Shorter side that widths in pixels are meant for; in larger images they grow in proportion, as pens do."""
SCAN_BLUR = 6.0
"""Gaussian sigma of what is around a line in a scan."""
SCAN_MIN_DIFFERENCE = 8
"""Smaller differences from what is around do not count for the typical one."""
SCAN_MIN_TYPICAL = 16.0
"""The least that the typical difference may be."""
SCAN_TYPICAL_INK = 127.0
"""The ink that the typical difference becomes."""
DODGE_KERNEL = 7
"""Side of the square in which ``dodge_lines`` looks for the brightest gray."""
DODGE_LOW, DODGE_HIGH = 0.4, 0.92
"""Quotients of ``dodge_lines`` from which there is full ink, and none."""
XDOG_SIGMA, XDOG_RATIO, XDOG_SHARPNESS, XDOG_LEVEL, XDOG_SLOPE = 1.0, 1.6, 36.0, 0.0, 4.0
"""sigma, k, p, epsilon and phi of ``xdog``; lightness is 0..1."""
FACE_SIGMAS = (0.3, 0.4, 0.5)
FACE_RATIO, FACE_SHARPNESS, FACE_LEVEL = 3.5, 10.0, 0.01
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
    """The brightest channel over black: a drawing in white, on black or on transparency, is its own ink."""
    alpha = rgba[..., 3].astype(np.uint16)
    return ((rgba[..., :3].max(-1) * alpha + 127) // 255).astype(np.uint8)


def ink_from_scan(rgb: Rgb) -> Gray:
    """How much darker a pixel is than the blurred image around it, in the channel where that is least; a typical line has 127.

    The preparation "invert-webui" of spec section 18; its blur is in pixels of a model-size image.
    """
    blurred = cv2.GaussianBlur(_downsample(rgb).astype(np.float32), (0, 0), SCAN_BLUR)
    darker = np.full(rgb.shape[:2], 255, np.float32)
    for channel in range(3):  # one after the other: at 8192 x 8192 each takes 270 MB
        surroundings = resize(np.ascontiguousarray(blurred[..., channel]), rgb.shape[1], rgb.shape[0])
        np.minimum(darker, surroundings - rgb[..., channel], out=darker)
    np.maximum(darker, 0, out=darker)
    lines = darker[darker > SCAN_MIN_DIFFERENCE]
    typical = max(SCAN_MIN_TYPICAL, float(np.median(lines))) if lines.size else SCAN_MIN_TYPICAL
    return np.clip(darker * (SCAN_TYPICAL_INK / typical), 0, 255).astype(np.uint8)


def dodge(rgb: Rgb, kernel: int, low: float, high: float) -> Gray:
    """Ink of a colored image: gray divided by dilated gray, so that lines in dark paint are as strong as in light.

    No ink where the quotient is ``high`` or more, full ink where it is ``low`` or less.
    """
    # The offset keeps the quotient near 1 in black areas, where noise would look like lines, and avoids 0 / 0.
    gray = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY).astype(np.float32) + 6.0
    ratio = gray / cv2.dilate(gray, np.ones((kernel, kernel), np.uint8))
    return 255 - (np.clip((ratio - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def dodge_lines(rgb: Rgb) -> Gray:
    """``dodge`` with a kernel that grows with the image."""
    half = max(1, round(DODGE_KERNEL // 2 * max(1.0, min(rgb.shape[:2]) / BASE_SIDE)))
    return dodge(rgb, 2 * half + 1, DODGE_LOW, DODGE_HIGH)


def xdog(rgb: Rgb) -> Gray:
    """Lines by the extended difference of Gaussians.

    Source: H. Winnemöller, J. E. Kyprianidis, S. C. Olsen, "XDoG: An eXtended difference-of-Gaussians compendium including
    advanced image stylization", Computers & Graphics 36(6), 2012, equations 5 and 7: S = (1 + p) G(sigma) - p G(k sigma) of the
    lightness; paper where S is at least epsilon, else 1 + tanh(phi (S - epsilon)).  With epsilon 0 dark areas are left
    unfilled.  S is smooth, so it is computed at ``BASE_SIDE`` and thresholded at full size, which keeps lines crisp.
    """
    gray: Any = cv2.cvtColor(_downsample(rgb), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    sharp = _sharpen(gray, XDOG_SIGMA, XDOG_RATIO, XDOG_SHARPNESS)
    # Ink is one minus the thresholded S: none from epsilon on, -tanh(phi (S - epsilon)) below it.
    below = np.minimum(resize(sharp, rgb.shape[1], rgb.shape[0]) - XDOG_LEVEL, 0)
    return np.rint(-255 * np.tanh(XDOG_SLOPE * below)).astype(np.uint8)


def xdog_binary(rgb: Rgb, sigma: float) -> Gray:
    """Ink (h, w) as AnimeDiffusion's data has it: XDoG at full size, 255 or 0 and nothing between.

    Spec animediffusion 4.2: the lightness times S of ``xdog``, ink where that is below epsilon (the slope is 1e9, so that there
    are no steps between).  Dark areas are filled.
    """
    gray: Any = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return np.where(gray * _sharpen(gray, sigma, FACE_RATIO, FACE_SHARPNESS) < FACE_LEVEL, 255, 0).astype(np.uint8)


def _sharpen(gray: Floats, sigma: float, ratio: float, sharpness: float) -> Floats:
    """S = (1 + p) G(sigma) - p G(k sigma) of lightness (h, w) 0..1."""
    source: Any = gray
    narrow, wide = cv2.GaussianBlur(source, (0, 0), sigma), cv2.GaussianBlur(source, (0, 0), sigma * ratio)
    return (1 + sharpness) * narrow - sharpness * wide


def _downsample(rgb: Rgb) -> Rgb:
    """The image with its shorter side at most ``BASE_SIDE``."""
    height, width = rgb.shape[:2]
    scale = min(1.0, BASE_SIDE / min(height, width))
    return resize(np.ascontiguousarray(rgb), max(1, round(width * scale)), max(1, round(height * scale)))
