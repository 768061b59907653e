"""What a method with one color per region cannot be better than: families that know the truth."""

from typing import Any

import numpy as np

from backend.contract.drawing import Colors, Drawing, ProgressCallback
from backend.contract.family import AnyColorModel
from backend.evaluation.color_metrics import color_difference
from backend.imaging.resize import resize
from backend.imaging.segmentation.palette import reference_regions
from backend.imaging.segmentation.regions import region_medians
from backend.imaging.types import Gray, Rgb
from shared.protocol import ColorizeRequest

REFERENCE_REGIONS = 112
"""Regions of a reference that a palette is taken from."""


class BestRegionColors:
    """Every region in the median of its own true colors: "one color per region, best".  See ``ColorModel``.

    truth: (h, w, 3) at canvas size.  family: guesses the masks that are not given.
    """

    def __init__(self, family: AnyColorModel, truth: Rgb) -> None:
        self.spec = family.spec
        self._family, self._truth = family, truth
        self.mask_warnings = family.mask_warnings

    def guess_drawing_mask(self, ink: Gray) -> Gray:
        """The family's guess."""
        return self._family.guess_drawing_mask(ink)

    def guess_reference_mask(self, rgb: Rgb) -> Gray:
        """The family's guess."""
        return self._family.guess_reference_mask(rgb)

    def condition(self, drawing: Drawing, request: ColorizeRequest) -> Any:
        """The regions' colors (count, 3)."""
        regions = drawing.regions
        height, width = regions.labels.shape
        return region_medians(regions.labels, regions.count, resize(self._truth, width, height), ~regions.ink)[0]

    def denoise(self, condition: Any, request: ColorizeRequest, on_step: ProgressCallback) -> Any:
        """Nothing to do."""
        return None

    def decode(self, condition: Any, latent: Any, drawing: Drawing, request: ColorizeRequest) -> Colors:
        """The colors, flat."""
        return Colors(condition, None)


class BestPaletteColors(BestRegionColors):
    """Every region in that color of the reference's palette that is nearest to its true median: "best palette color".

    Figure chooses among the figure's colors, ground among the ground's; a side without any may use all.
    """

    def condition(self, drawing: Drawing, request: ColorizeRequest) -> Any:
        """The regions' colors (count, 3)."""
        wanted: Rgb = super().condition(drawing, request)
        found = [reference_regions(r.rgb, r.mask, REFERENCE_REGIONS) for r in drawing.references]
        palette, sides = (np.concatenate([getattr(f, name) for f in found]) for name in ("palette", "palette_foreground"))
        count = len(wanted)
        repeated = np.repeat(wanted, len(palette), axis=0), np.tile(palette, (count, 1))
        difference = color_difference(*repeated).reshape(count, len(palette))
        own = sides[None, :] == drawing.regions.foreground[:, None]
        allowed = own | ~own.any(1, keepdims=True)
        return palette[np.where(allowed, difference, np.inf).argmin(1)]
