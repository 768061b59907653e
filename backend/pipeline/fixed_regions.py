"""Regions held fixed: by the painter's hints, and by an earlier result of which only a selection is recolored."""

import numpy as np

from backend.contract.drawing import Previous, Recoloring
from backend.imaging.edits.hints import fix_hints
from backend.imaging.edits.selection import Cut, cut_by_selection, sampled
from backend.imaging.masks import resize_mask
from backend.imaging.segmentation.regions import region_medians
from backend.imaging.types import Bools, Fixed, Gray, Labels, Regions, Rgb, Rgba


def hinted(finer: Labels, regions: Regions, ink: Gray, hints: Rgba | None) -> tuple[Regions, Fixed]:
    """The regions, cut where hints need it, and which have a hint's color.  finer: see ``imaging.hints``; ink: (h, w)."""
    if hints is None:
        return regions, Fixed(np.zeros(regions.count, np.bool_), np.zeros((regions.count, 3), np.uint8))
    return fix_hints(finer, regions, ink, hints)


def held(finer: Labels, regions: Regions, fixed: Fixed, selection: Gray, previous: Previous) -> tuple[Fixed, Recoloring]:
    """The regions cut by the selection (H, W); all that lie outside fixed to the color they had before, hints or not.

    The regions are those of ``Recoloring.cut``.
    """
    height, width = regions.labels.shape
    cut = cut_by_selection(finer, regions, resize_mask(selection, width, height))
    colors, found = _medians(previous, cut)
    stays = ~cut.free & found
    before = Fixed(fixed.regions[cut.parents], fixed.colors[cut.parents])
    both = Fixed(before.regions | stays, np.where(stays[:, None], colors, before.colors))
    return both, Recoloring(cut, selection, previous)


def shown_before(previous: Previous, regions: Regions) -> tuple[Rgb, Bools]:
    """What each pixel showed on its side's layer, (h, w, 3) uint8 at the regions' size; and whether it was painted, (h, w)."""
    shape = regions.labels.shape
    figure = regions.foreground[regions.labels]
    seen = np.where(figure[..., None], sampled(previous.foreground, shape), sampled(previous.background, shape))
    return seen[..., :3], seen[..., 3] > 127


def _medians(previous: Previous, cut: Cut) -> tuple[Rgb, Bools]:
    """Each region's color before, (count, 3), and whether it had one."""
    regions = cut.regions
    seen, there = shown_before(previous, regions)
    painted = np.bincount(regions.labels.ravel(), there.ravel(), minlength=regions.count) > 0
    medians, _ = region_medians(np.where(there, regions.labels, -1).astype(np.int32), regions.count, seen, ~regions.ink)
    return medians, painted
