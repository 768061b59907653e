"""Coloring a selection anew: which regions may change, and how the new colors join the previous result."""

from dataclasses import dataclass
from typing import Any

import cv2
import numba
import numpy as np

from backend.imaging.parallel_rows import parallel_rows
from backend.imaging.region_fill import fill_nearest
from backend.imaging.segmentation.label_maps import intersect_labels, label_areas, relabel
from backend.imaging.types import Bools, Floats, Gray, Labels, Regions, Rgba

SLIP_RADIUS = 0.004
"""Half the width, as a fraction of the shorter side, of what a selection may reach beyond a line by mistake."""
WHOLE_SHARE = 0.9
"""A part of the drawing counts as selected whole when this share of it is selected."""
_BAND_ROWS = 64


@dataclass(frozen=True)
class SelectionSplit:
    """Regions split where a selection cuts them."""

    regions: Regions
    """At working size; ``count`` of them."""
    parents: Labels
    """(count,) the number that each region had before the split."""
    editable: Bools
    """(count,) the region lies inside the selection."""
    counterpart: Labels
    """(count,) int32: for the outer part of a region that was split the number of its inner part; -1 for all others."""

    @property
    def blendable(self) -> Bools:
        """(count,) regions that have an inner part, so that the selection's soft edge fades across the cut."""
        return self.editable | (self.counterpart >= 0)


def split_by_selection(finer: Labels, regions: Regions, selection: Gray) -> SelectionSplit:
    """``regions`` split at the edge of ``selection`` (h, w), 255 = inside; at least one pixel must be above 0.

    finer: (h, w) labels of the drawing before regions were merged.  A part of the drawing that is mostly inside, or into which
    the selection reaches by more than twice ``SLIP_RADIUS``, belongs to it as far as it goes; a narrow strip beyond a line
    does not.
    """
    inside = selection > min(127, int(selection.max()) // 2)  # a faint selection still has an inside
    parts = intersect_labels(regions.labels, finer)
    count = int(parts.max()) + 1
    share = label_areas(parts, count, inside.astype(np.float32)) / label_areas(parts, count)
    is_partial = ((share > 0) & (share < WHOLE_SHARE))[parts]
    wide_in = label_areas(parts, count, _without_slips(inside & is_partial, parts).astype(np.float32)) > 0
    wide_out = label_areas(parts, count, _without_slips(~inside & is_partial, parts).astype(np.float32)) > 0
    # Whole: selected all over, or up to slips.  Only a part that is wide on both sides of the edge is cut there.
    is_whole = (share >= WHOLE_SHARE) | (~wide_out & wide_in) | (~wide_out & (share > 0.5))
    selected = is_whole[parts] | (inside & (wide_in & wide_out)[parts])
    if not selected.any():
        selected = inside  # nothing but slips: then they are what the painter means
    # Twice the old number, plus one inside: so both parts of a split region are found from each other.
    labels, old = relabel(regions.labels * np.int32(2) + selected.astype(np.int32))
    number = np.full(2 * regions.count, -1, np.int32)
    number[old] = np.arange(len(old), dtype=np.int32)
    editable = old % 2 == 1
    counterpart = np.where(editable, -1, number[old | 1]).astype(np.int32)
    parents = (old // 2).astype(np.int32)
    split = Regions(labels, len(old), regions.ink, regions.foreground[parents])
    return SelectionSplit(split, parents, editable, counterpart)


def _without_slips(area: Bools, parts: Labels) -> Bools:
    """What is left of the area (h, w) after erosion by ``SLIP_RADIUS``, each part by itself."""
    width = 2 * max(1, round(SLIP_RADIUS * min(area.shape))) + 1
    # A gap along the borders keeps the disc within one part.  OpenCV's morphology takes float32, but no int32.
    border: Any = cv2.morphologyEx(parts.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    # The image's edge is repeated, because it is no border of the selection.
    core: Any = cv2.erode((area & (border == 0)).astype(np.uint8), disc, borderType=cv2.BORDER_REPLICATE)
    return core > 0


def downsample_nearest(image: Rgba, shape: tuple[int, int]) -> Rgba:
    """(H, W, c) at a smaller size (h, w): the pixel in the middle of each cell, so that no color is mixed."""
    rows, columns = (((np.arange(n) + 0.5) * size / n).astype(int) for n, size in zip(shape, image.shape[:2], strict=True))
    return np.ascontiguousarray(image[rows[:, None], columns[None]])


def extend_colors(image: Floats, split: SelectionSplit) -> Floats:
    """Colors (h, w, 3) in which the outer part of every split region has the nearest colors of its inner part."""
    result = image
    for outer in np.flatnonzero(split.counterpart >= 0).tolist():
        inner = split.regions.labels == split.counterpart[outer]
        result = np.where((split.regions.labels == outer)[..., None], fill_nearest(image, inner), result)
    return result


def blend_outside(
    previous: tuple[Rgba, Rgba],
    canvas_labels: np.ndarray,
    split: SelectionSplit,
    selection: Gray,
    foreground: Rgba,
    background: Rgba,
) -> None:
    """Restores the ``previous`` layers in ``foreground`` and ``background`` (H, W, 4), in place, outside the selection.

    canvas_labels: (H, W) uint16 labels of ``split.regions``.  Where the selection (H, W) is 0, or the region is not blendable,
    every byte of both layers becomes the previous one's; else the new colors remain, faded by the selection.  The background
    behind the foreground stays new where some background was selected, and where the foreground itself is new.
    """
    is_foreground, blendable = split.regions.foreground, split.blendable
    background_changes = bool((blendable & ~is_foreground).any())

    def blend(top: int, bottom: int) -> None:
        _blend_band(
            *previous,
            canvas_labels,
            is_foreground,
            blendable,
            background_changes,
            selection,
            top,
            bottom,
            foreground,
            background,
        )

    parallel_rows(len(canvas_labels), _BAND_ROWS, blend)


@numba.njit(cache=True, nogil=True)
def _blend_band(
    old_foreground: Any, old_background: Any, canvas_labels: Any, is_foreground: Any, blendable: Any, background_changes: Any,
    selection: Any, top: Any, bottom: Any, foreground: Any, background: Any,
) -> None:  # fmt: skip
    for y in range(top, bottom):
        for x in range(canvas_labels.shape[1]):
            label, weight = canvas_labels[y, x], np.int64(selection[y, x])
            # Behind the foreground: new with the rest of the background, or where foreground appears that was not there before.
            hidden = is_foreground[label] and (background_changes or (blendable[label] and old_foreground[y, x, 3] < 128))
            shown = blendable[label] and not is_foreground[label]
            _fade(old_background, background, y, x, weight if hidden or shown else 0)
            _fade(old_foreground, foreground, y, x, weight if blendable[label] else 0)


@numba.njit(cache=True, nogil=True, inline="always")
def _fade(old: Any, new: Any, y: Any, x: Any, weight: Any) -> None:
    """One pixel of ``new``, ``weight`` / 255 of the way from the old one; straight alpha, so colors count by opacity."""
    if weight == 255:
        return
    if weight == 0:
        for c in range(4):
            new[y, x, c] = old[y, x, c]
        return
    old_part, new_part = np.int64(old[y, x, 3]) * (255 - weight), np.int64(new[y, x, 3]) * weight
    alpha = (old_part + new_part + 127) // 255
    if old_part + new_part == 0:  # both are clear: mix the colors below by the selection alone
        old_part, new_part = 255 - weight, weight
    total = old_part + new_part
    for c in range(3):
        new[y, x, c] = (np.int64(old[y, x, c]) * old_part + np.int64(new[y, x, c]) * new_part + total // 2) // total
    new[y, x, 3] = alpha
