"""Fixes regions: by the painter's hints, and by a previous result of which only a selection is colored anew."""

import numpy as np

from backend.contract.drawing import PreviousResult, SelectionEdit
from backend.imaging.edits.hints import apply_hints
from backend.imaging.edits.selection import downsample_nearest, split_by_selection
from backend.imaging.masks import resize_mask
from backend.imaging.segmentation.regions import region_medians
from backend.imaging.types import Bools, FixedRegions, Gray, Labels, Regions, Rgb, Rgba


def fix_hinted_regions(finer: Labels, regions: Regions, ink: Gray, hints: Rgba | None) -> tuple[Regions, FixedRegions]:
    """The regions, split where hints need it, and which have a hint's color.  finer: see ``apply_hints``; ink: (h, w)."""
    if hints is None:
        return regions, FixedRegions(np.zeros(regions.count, np.bool_), np.zeros((regions.count, 3), np.uint8))
    return apply_hints(finer, regions, ink, hints)


def freeze_outside_selection(
    finer: Labels, regions: Regions, fixed: FixedRegions, selection: Gray, previous: PreviousResult
) -> tuple[FixedRegions, SelectionEdit]:
    """The regions split by the selection (H, W); all outside are fixed to the color they had before, hints or not.

    The fixed regions are those of ``SelectionEdit.split``.
    """
    height, width = regions.labels.shape
    split = split_by_selection(finer, regions, resize_mask(selection, width, height))
    old_colors, is_painted = _previous_colors(previous, split.regions)
    is_frozen = ~split.editable & is_painted
    is_hinted, hint_colors = fixed.is_fixed[split.parents], fixed.colors[split.parents]
    # Outside the selection the old color wins over a hint: nothing may change there.
    frozen = FixedRegions(is_hinted | is_frozen, np.where(is_frozen[:, None], old_colors, hint_colors))
    return frozen, SelectionEdit(split, selection, previous)


def sample_previous(previous: PreviousResult, regions: Regions) -> tuple[Rgb, Bools]:
    """What each pixel showed on the layer of its region, (h, w, 3) uint8 at the regions' size; and whether it was painted."""
    shape = regions.labels.shape
    is_foreground = regions.foreground[regions.labels]
    foreground, background = downsample_nearest(previous.foreground, shape), downsample_nearest(previous.background, shape)
    rgba = np.where(is_foreground[..., None], foreground, background)
    return rgba[..., :3], rgba[..., 3] > 127


def _previous_colors(previous: PreviousResult, regions: Regions) -> tuple[Rgb, Bools]:
    """Each region's median color in the previous result, (count, 3), and whether it had one, (count,)."""
    rgb, painted = sample_previous(previous, regions)
    is_painted = np.bincount(regions.labels.ravel(), painted.ravel(), minlength=regions.count) > 0
    labels = np.where(painted, regions.labels, -1).astype(np.int32)
    medians, _ = region_medians(labels, regions.count, rgb, ~regions.ink)
    return medians, is_painted
