"""Gives regions an exact mean color and keeps their shading."""

import numpy as np

from backend.imaging.types import FixedRegions, Floats, Regions

_BISECTIONS = 16


def shift_region_means(image: Floats, regions: Regions, fixed: FixedRegions) -> Floats:
    """``image`` (h, w, 3) with each fixed region shifted so that its mean beside the lines is its given color.

    A color near the end of the scale has no room for shading on that side: what would go beyond is clipped, and the rest
    shifted until the mean is right.  So pure white and pure black come out flat.
    """
    result = image.copy()
    # Pixels sorted by region make each region one slice, instead of a mask over the whole image for each.
    order = np.argsort(regions.labels.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(regions.labels.ravel(), minlength=regions.count))
    old, new, ink = image.reshape(-1, 3), result.reshape(-1, 3), regions.ink.ravel()
    for k in np.flatnonzero(fixed.is_fixed).tolist():
        inside = order[ends[k - 1] if k else 0 : ends[k]]
        paper = inside[~ink[inside]]
        shift = _find_shift(old[paper if len(paper) else inside], fixed.colors[k].astype(np.float64))
        new[inside] = np.clip(old[inside] + shift, 0, 255)
    return result


def _find_shift(values: Floats, mean: np.ndarray) -> Floats:
    """(3,) what to add to (n, 3) so that its mean, after clipping to 0..255, is ``mean``; found by bisection."""
    # The mean rises with the shift, in each channel for itself; 16 halvings of -255..255 leave less than 0.01.
    low, high = np.full(3, -255.0), np.full(3, 255.0)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        too_dark = np.clip(values + middle, 0, 255).mean(0, dtype=np.float64) < mean
        low, high = np.where(too_dark, middle, low), np.where(too_dark, high, middle)
    return ((low + high) / 2).astype(np.float32)
