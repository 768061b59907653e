"""Bleaching: the foreground of a background reference becomes white, so that its colors stay out of the background.

This is the rule of ColorizeDiffusion's "bleached reference": a pixel is kept where the mask is below a threshold.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from backend.imaging.types import Gray, Rgb

THRESHOLD = 0.5
"""Mask value, 0..1, from which a pixel is foreground, unless somebody says otherwise."""
Number = TypeVar("Number", np.uint8, np.float32)


def bleach(rgb: Rgb, mask: Gray, threshold: float = THRESHOLD) -> Rgb:
    """An image (h, w, 3) that is white where its mask (h, w), 255 = foreground, reaches the threshold 0..1."""
    is_background = mask.astype(np.float32) / 255 < threshold
    return whiten(rgb, is_background[..., None], 255)


def whiten(image: NDArray[Number], keep: NDArray[np.bool_], white: float) -> NDArray[Number]:
    """``image`` where ``keep``, of a shape that fits it, is true; ``white`` elsewhere."""
    return np.where(keep, image, np.asarray(white, image.dtype))
