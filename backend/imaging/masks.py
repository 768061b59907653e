"""Figure masks, (h, w) uint8 with 255 = figure."""

from typing import Any

import cv2
import numpy as np

from backend.imaging.types import Gray, Rgba


def has_real_transparency(rgba: Rgba) -> bool:
    """Whether the alpha of (h, w, 4) separates something: at least 0.5 % of the pixels are clear and some are opaque."""
    alpha = rgba[..., 3]
    return int(np.count_nonzero(alpha < 32)) >= 0.005 * alpha.size and bool((alpha > 127).any())


def is_empty_mask(mask: Gray) -> bool:
    """Whether nothing of the mask is figure (fewer than 4 pixels at half or more)."""
    return int(np.count_nonzero(mask > 127)) < 4


def resize_mask(mask: Gray, width: int, height: int) -> Gray:
    """The mask at another size: area-averaged when smaller, linear when larger."""
    if mask.shape == (height, width):
        return mask
    smaller = width * height < mask.size
    resized: Any = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    return resized
