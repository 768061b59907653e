"""Foreground masks, (h, w) uint8, 255 = foreground."""

from typing import Any

import cv2
import numpy as np

from backend.imaging.types import Gray, Rgba

CLEAR_ALPHA = 32
"""Alpha below which a pixel counts as clear."""
MIN_CLEAR_SHARE = 0.005
"""Share of clear pixels from which transparency separates something."""
MIN_MASK_PIXELS = 4
"""A mask with fewer foreground pixels is empty."""


def has_real_transparency(rgba: Rgba) -> bool:
    """Whether the alpha of (h, w, 4) separates something: at least 0.5 % of the pixels are clear, and some are half opaque."""
    alpha = rgba[..., 3]
    return int(np.count_nonzero(alpha < CLEAR_ALPHA)) >= MIN_CLEAR_SHARE * alpha.size and bool((alpha > 127).any())


def is_empty_mask(mask: Gray) -> bool:
    """Whether nothing of the mask is foreground: fewer than ``MIN_MASK_PIXELS`` pixels at half or more."""
    return int(np.count_nonzero(mask > 127)) < MIN_MASK_PIXELS


def unite_masks(*masks: Gray) -> Gray:
    """What is foreground in any of the masks, one or more of the same (h, w): the largest value of each pixel."""
    return np.asarray(np.maximum.reduce(masks), np.uint8)


def resize_mask(mask: Gray, width: int, height: int) -> Gray:
    """The mask at another size: area-averaged when smaller, linear when larger."""
    if mask.shape == (height, width):
        return mask
    smaller = width * height < mask.size
    resized: Any = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    return resized
