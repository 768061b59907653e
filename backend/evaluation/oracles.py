"""Oracles: models that know the truth, and so show the most that a method with one color per region can reach."""

from typing import Any

import numpy as np

from backend.contract.drawing import Colors, Drawing, ProgressCallback
from backend.contract.family import AnyColorModel
from backend.evaluation.metrics.color_metrics import color_difference
from backend.imaging.resize import resize
from backend.imaging.segmentation.palette import reference_regions
from backend.imaging.segmentation.regions import region_medians
from backend.imaging.types import Gray, Rgb
from shared.protocol import ColorizeRequest

REFERENCE_REGIONS = 112
"""Largest number of regions of a reference; its palette is their colors."""


class BestRegionColors:
    """Colors every region in the median of its true colors: "best color per region".  See ``ColorModel``.

    family: segments the foreground where no mask is given.  truth: (h, w, 3), at canvas size.
    """

    def __init__(self, family: AnyColorModel, truth: Rgb) -> None:
        self.spec = family.spec
        self._family, self._truth = family, truth
        self.mask_warnings = family.mask_warnings

    def segment_drawing(self, ink: Gray) -> Gray:
        """See ``ForegroundSegmenter``: the family's own mask."""
        return self._family.segment_drawing(ink)

    def segment_reference(self, rgb: Rgb) -> Gray:
        """See ``ForegroundSegmenter``: the family's own mask."""
        return self._family.segment_reference(rgb)

    def condition(self, drawing: Drawing, request: ColorizeRequest) -> Any:
        """The colors of the regions, (count, 3)."""
        regions = drawing.regions
        height, width = regions.labels.shape
        return region_medians(regions.labels, regions.count, resize(self._truth, width, height), ~regions.ink)[0]

    def denoise(self, condition: Any, request: ColorizeRequest, on_step: ProgressCallback) -> Any:
        """Nothing to do."""
        return None

    def decode(self, condition: Any, latent: Any, drawing: Drawing, request: ColorizeRequest) -> Colors:
        """The colors of the regions, without a color field."""
        return Colors(condition, None)


class BestPaletteColors(BestRegionColors):
    """Colors every region in the color of the reference's palette nearest to its true median: "best palette color".

    Foreground takes colors of the reference's foreground, background of its background; either takes any color when the
    reference has none of its own.
    """

    def condition(self, drawing: Drawing, request: ColorizeRequest) -> Any:
        """The colors of the regions, (count, 3)."""
        true_colors: Rgb = super().condition(drawing, request)
        cut_references = [reference_regions(r.rgb, r.mask, REFERENCE_REGIONS) for r in drawing.references]
        palette = np.concatenate([reference.palette for reference in cut_references])
        palette_foreground = np.concatenate([reference.palette_foreground for reference in cut_references])
        count = len(true_colors)
        every_pair = np.repeat(true_colors, len(palette), axis=0), np.tile(palette, (count, 1))
        difference = color_difference(*every_pair).reshape(count, len(palette))
        same_part = palette_foreground[None, :] == drawing.regions.foreground[:, None]
        allowed = same_part | ~same_part.any(1, keepdims=True)
        return palette[np.where(allowed, difference, np.inf).argmin(1)]
