"""Recoloring a selection: which regions may change, and the new colors put into the earlier result."""

from dataclasses import dataclass
from typing import Any

import cv2
import numba
import numpy as np

from backend.imaging.parallel_rows import parallel_rows
from backend.imaging.region_fill import fill_nearest
from backend.imaging.segmentation.label_maps import intersect_labels, label_areas, relabel
from backend.imaging.types import Bools, Floats, Gray, Labels, Regions, Rgba

SLIP = 0.004
"""Half the width, as a fraction of the shorter side, of what a selection may reach beyond a line by mistake."""
WHOLE = 0.9
"""A part of the drawing is meant as a whole when this share of it is selected."""
_ROWS = 64


@dataclass(frozen=True)
class SelectionSplit:
    """Regions cut where a selection cuts them.

    parents: (count,) the number each region had before.  free: (count,) bool, the region lies inside.  twins: (count,) int32,
    for the outer part of a region that was cut the number of its inner part; -1 for all others.
    """

    regions: Regions
    parents: Labels
    editable: Bools
    counterpart: Labels

    @property
    def blendable(self) -> Bools:
        """(count,) bool: regions that have an inner part, so that the selection's soft edge fades across the cut."""
        return self.editable | (self.counterpart >= 0)


def split_by_selection(finer: Labels, regions: Regions, selection: Gray) -> SelectionSplit:
    """``regions`` cut at the edge of ``selection`` (h, w), 255 = inside; at least one pixel must be above 0.

    finer: (h, w) labels of the drawing before regions were joined.  A part of the drawing that is mostly inside, or into which
    the selection reaches by more than ``SLIP``, belongs to it as far as it goes; a narrow strip beyond a line does not.
    """
    inside = selection > min(127, int(selection.max()) // 2)
    parts = intersect_labels(regions.labels, finer)
    count = int(parts.max()) + 1
    share = label_areas(parts, count, inside.astype(np.float32)) / label_areas(parts, count)
    partly = ((share > 0) & (share < WHOLE))[parts]
    wide_in = label_areas(parts, count, _without_slips(inside & partly, parts).astype(np.float32)) > 0
    wide_out = label_areas(parts, count, _without_slips(~inside & partly, parts).astype(np.float32)) > 0
    whole = (share >= WHOLE) | (~wide_out & wide_in) | (~wide_out & (share > 0.5))
    chosen = whole[parts] | (inside & (wide_in & wide_out)[parts])
    if not chosen.any():
        chosen = inside
    labels, old = relabel(regions.labels * np.int32(2) + chosen.astype(np.int32))
    number = np.full(2 * regions.count, -1, np.int32)
    number[old] = np.arange(len(old), dtype=np.int32)
    free = old % 2 == 1
    twins = np.where(free, -1, number[old | 1]).astype(np.int32)
    origin = (old // 2).astype(np.int32)
    return SelectionSplit(Regions(labels, len(old), regions.ink, regions.foreground[origin]), origin, free, twins)


def _without_slips(area: Bools, parts: Labels) -> Bools:
    """The area less what is narrower than two ``SLIP``, each part by itself."""
    width = 2 * max(1, round(SLIP * min(area.shape))) + 1
    border: Any = cv2.morphologyEx(parts.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    core: Any = cv2.erode((area & (border == 0)).astype(np.uint8), disc, borderType=cv2.BORDER_REPLICATE)
    return core > 0


def downsample_nearest(picture: Rgba, shape: tuple[int, int]) -> Rgba:
    """(H, W, c) at a smaller size (h, w): the pixel in the middle of each cell, so that no color is mixed."""
    rows, columns = (((np.arange(n) + 0.5) * size / n).astype(int) for n, size in zip(shape, picture.shape[:2], strict=True))
    return np.ascontiguousarray(picture[rows[:, None], columns[None]])


def extend_colors(own: Floats, cut: SelectionSplit) -> Floats:
    """Colors (h, w, 3) with the outer part of every region that was cut in the nearest colors of its inner part."""
    result = own
    for outer in np.flatnonzero(cut.counterpart >= 0).tolist():
        known = cut.regions.labels == cut.counterpart[outer]
        result = np.where((cut.regions.labels == outer)[..., None], fill_nearest(own, known), result)
    return result


def blend_outside(
    previous: tuple[Rgba, Rgba], lifted: np.ndarray, cut: SelectionSplit, selection: Gray, foreground: Rgba, background: Rgba
) -> None:
    """Bring ``foreground`` and ``background`` (H, W, 4) back to the ``previous`` ones but in the free regions of a selection.

    lifted: (H, W) uint16 labels of ``cut.regions``.  Where the selection (H, W) is 0, or the region is not free, every byte of
    both layers becomes the earlier one's; else the new colors remain, faded by the selection.  The background behind the
    figure remains new where other ground was recolored, and where the figure is new.
    """
    figure, writable = cut.regions.foreground, cut.blendable
    ground_changes = bool((writable & ~figure).any())

    def work(top: int, bottom: int) -> None:
        _keep_band(*previous, lifted, figure, writable, ground_changes, selection, top, bottom, foreground, background)

    parallel_rows(len(lifted), _ROWS, work)


@numba.njit(cache=True, nogil=True)
def _keep_band(
    old_over: Any, old_under: Any, lifted: Any, figure: Any, writable: Any, ground_changes: Any,
    selection: Any, top: Any, bottom: Any, over: Any, under: Any,
) -> None:  # fmt: skip
    for y in range(top, bottom):
        for x in range(lifted.shape[1]):
            label, weight = lifted[y, x], np.int64(selection[y, x])
            behind = figure[label] and (ground_changes or (writable[label] and old_over[y, x, 3] < 128))
            _fade(old_under, under, y, x, weight if behind or (writable[label] and not figure[label]) else 0)
            _fade(old_over, over, y, x, weight if writable[label] else 0)


@numba.njit(cache=True, nogil=True, inline="always")
def _fade(old: Any, new: Any, y: Any, x: Any, weight: Any) -> None:
    """One pixel of ``new``, ``weight`` / 255 of the way from the old one; straight alpha, so colors count by opacity."""
    if weight == 255:
        return
    if weight == 0:
        for c in range(4):
            new[y, x, c] = old[y, x, c]
        return
    kept, put = np.int64(old[y, x, 3]) * (255 - weight), np.int64(new[y, x, 3]) * weight
    alpha = (kept + put + 127) // 255
    if kept + put == 0:
        kept, put = 255 - weight, weight
    for c in range(3):
        new[y, x, c] = (np.int64(old[y, x, c]) * kept + np.int64(new[y, x, c]) * put + (kept + put) // 2) // (kept + put)
    new[y, x, 3] = alpha
