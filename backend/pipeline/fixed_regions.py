"""Regions held fixed: by the painter's hints, and by an earlier result of which only a selection is recolored."""

import numpy as np

from backend.contract.drawing import PreviousResult, SelectionEdit
from backend.imaging.edits.hints import apply_hints
from backend.imaging.edits.selection import SelectionSplit, downsample_nearest, split_by_selection
from backend.imaging.masks import resize_mask
from backend.imaging.segmentation.regions import region_medians
from backend.imaging.types import Bools, FixedRegions, Gray, Labels, Regions, Rgb, Rgba


def fix_hinted_regions(finer: Labels, regions: Regions, ink: Gray, hints: Rgba | None) -> tuple[Regions, FixedRegions]:
    """The regions, cut where hints need it, and which have a hint's color.  finer: see ``imaging.hints``; ink: (h, w)."""
    if hints is None:
        return regions, FixedRegions(np.zeros(regions.count, np.bool_), np.zeros((regions.count, 3), np.uint8))
    return apply_hints(finer, regions, ink, hints)


def freeze_outside_selection(
    finer: Labels, regions: Regions, fixed: FixedRegions, selection: Gray, previous: PreviousResult
) -> tuple[FixedRegions, SelectionEdit]:
    """The regions cut by the selection (H, W); all that lie outside fixed to the color they had before, hints or not.

    The regions are those of ``SelectionEdit.split``.
    """
    height, width = regions.labels.shape
    cut = split_by_selection(finer, regions, resize_mask(selection, width, height))
    colors, found = _medians(previous, cut)
    stays = ~cut.editable & found
    before = FixedRegions(fixed.is_fixed[cut.parents], fixed.colors[cut.parents])
    both = FixedRegions(before.is_fixed | stays, np.where(stays[:, None], colors, before.colors))
    return both, SelectionEdit(cut, selection, previous)


def sample_previous(previous: PreviousResult, regions: Regions) -> tuple[Rgb, Bools]:
    """What each pixel showed on its side's layer, (h, w, 3) uint8 at the regions' size; and whether it was painted, (h, w)."""
    shape = regions.labels.shape
    figure = regions.foreground[regions.labels]
    seen = np.where(
        figure[..., None], downsample_nearest(previous.foreground, shape), downsample_nearest(previous.background, shape)
    )
    return seen[..., :3], seen[..., 3] > 127


def _medians(previous: PreviousResult, cut: SelectionSplit) -> tuple[Rgb, Bools]:
    """Each region's color before, (count, 3), and whether it had one."""
    regions = cut.regions
    seen, there = sample_previous(previous, regions)
    painted = np.bincount(regions.labels.ravel(), there.ravel(), minlength=regions.count) > 0
    medians, _ = region_medians(np.where(there, regions.labels, -1).astype(np.int32), regions.count, seen, ~regions.ink)
    return medians, painted
