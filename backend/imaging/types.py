"""Array types, and the regions that every stage shares."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
"""(H, W) uint8."""
Rgb = NDArray[np.uint8]
"""(H, W, 3) uint8, sRGB."""
Rgba = NDArray[np.uint8]
"""(H, W, 4) uint8, sRGB, straight alpha."""
Floats = NDArray[np.float32]
Labels = NDArray[np.int32]
"""(H, W) int32 region numbers 0..count-1; every pixel, ink included, belongs to one region."""
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Regions:
    """A drawing cut into its regions at working size."""

    labels: Labels
    """(h, w) int32, 0..count-1, borders in the middle of lines."""
    count: int
    """Number of regions."""
    ink: Bools
    """(h, w) bool, where the lines are."""
    foreground: Bools
    """(count,) bool, which regions belong to the foreground; no region lies across the mask's edge."""


@dataclass(frozen=True)
class FixedRegions:
    """Regions whose color is given: by the painter's hints, or by a previous result where nothing may change.

    Both arrays have no rows at all when nothing is fixed.
    """

    is_fixed: Bools
    """(count,) bool."""
    colors: Rgb
    """(count, 3) uint8 sRGB, of no meaning where ``is_fixed`` is False."""

    def apply_to(self, flats: Rgb) -> Rgb:
        """The flats (count, 3) with the given colors in their places."""
        return np.where(self.is_fixed[:, None], self.colors, flats) if self.is_fixed.any() else flats


NO_FIXED_REGIONS = FixedRegions(np.zeros(0, np.bool_), np.zeros((0, 3), np.uint8))
