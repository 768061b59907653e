"""Segments a drawing into the regions that flats, hints, selections and layers all share.

Sizes are relative to an image whose shorter side is 256 px (``unit`` = shorter side / 256).
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numba
import numpy as np
from skimage.measure import label as connected_labels

from backend.imaging.segmentation.region_merging import merge_small, region_adjacency_graph
from backend.imaging.segmentation.watershed import watershed
from backend.imaging.types import Bools, Gray, Labels, Regions, Rgb

NECK_RATIO = 0.7
"""A neck narrower than this share of the smaller basin's radius is a gap in a line, a wider one is part of the shape."""
MIN_PROMINENCE = 0.6
"""A basin that rises less than so many pixels at 256 above a neck is no basin of its own."""
MIN_CONTRAST = 24
"""Contrast (0..255) of the faintest line that counts."""
SOLID_INK = 205
"""Ink above which any area, however wide, is line."""
TONE_STEP = 32
"""The step (0..255) between two tones of wide areas that counts as a border."""
MIN_SPECK_AREA, MIN_FRAGMENT_AREA, MIN_REGION_AREA = 3.0, 10.0, 40.0
"""Smallest ink speck, smallest basin and smallest region, pixels at 256."""
FOREGROUND_WEIGHT = 4.0
"""Foreground pixels count this much more than background when regions have to be merged."""
MIN_SPLIT_SHARE = 0.06
"""A region is split by the mask when the smaller part holds more than this share of it ..."""
MIN_SPLIT_AREA = 0.3
"""... and is at least this many times the smallest region."""
UNDECIDED_SHARES = (0.25, 0.75)
"""A region of which a share between these is foreground lies across the edge of a guessed mask."""
MIN_UNDECIDED_SHARE = 0.002
"""Such a region is split only if it is larger than this share of the image."""
MIN_TRUSTED_PIXELS = 3
"""Trusted pixels that a region's median needs at least."""
STRIP_RADIUS = 0.012
"""Half the width of a strip that a guessed mask may be wrong by, as a fraction of the shorter side."""


@dataclass(frozen=True)
class Segmentation:
    """A drawing segmented along its lines only."""

    labels: Labels
    """(h, w) int32 0..count-1, borders in the middle of lines."""
    count: int
    """Number of regions."""
    ink: Bools
    """(h, w) bool, where the lines are."""


def _unit(shape: tuple[int, ...]) -> float:
    return min(shape[0], shape[1]) / 256.0


def line_mask(ink: Gray) -> Bools:
    """Where the lines are (h, w) bool, for ink (h, w) with 255 = line.

    A pixel is line when it stands out from its surroundings (a top-hat) by at least half of the strongest line pixel
    nearby: faint lines stay and the anti-aliased rims of strong ones go, as does gray shade.  Solid blacks are line, too,
    and so is the rim of an area filled with one tone.
    """
    unit = max(1.0, _unit(ink.shape))
    side = 2 * round(4 * unit) + 1
    # Opening by a square wider than any line removes lines and keeps areas: ink minus that is the top-hat.
    tone = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    contrast = cv2.subtract(ink, tone)
    side = 2 * round(1.5 * unit) + 1
    strongest = cv2.dilate(contrast, np.ones((side, side), np.uint8))
    lines = (contrast > MIN_CONTRAST) & (contrast >= strongest // 2 + strongest % 2)
    lines |= ink > SOLID_INK
    lines |= cv2.subtract(tone, cv2.erode(tone, np.ones((3, 3), np.uint8))) > TONE_STEP
    return _without_specks(lines, MIN_SPECK_AREA * unit)


def _without_specks(lines: Bools, smallest: float) -> Bools:
    components: Any = cv2.connectedComponentsWithStats(lines.astype(np.uint8), connectivity=8)
    count, component, stats, _ = components
    if count == 1:
        return lines
    is_line = stats[:, cv2.CC_STAT_AREA] >= smallest
    is_line[0] = False  # the paper
    return is_line[component]


def segment(ink: Gray, gap: float) -> Segmentation:
    """The drawing (h, w), 255 = line, segmented along its lines; no mask yet.

    gap: widest gap in the lines that is closed, as a fraction of the shorter side (0 = plain connected components).
    A drawing without any line, or all line, is one region.
    """
    lines = line_mask(ink)
    if lines.all() or not lines.any():
        return Segmentation(np.zeros(ink.shape, np.int32), 1, lines)
    unit = _unit(ink.shape)
    paper = (~lines).astype(np.uint8)
    # The positive side finds basins; the negative side leads their borders to the middle of lines.
    distance = cv2.distanceTransform(paper, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - paper, cv2.DIST_L2, 5)
    labels, count = watershed(distance, 0.5 * gap * min(ink.shape), NECK_RATIO, MIN_PROMINENCE * max(1.0, unit**0.5))
    graph = region_adjacency_graph(labels, count, lines, None, np.zeros(count, np.bool_))
    number, count = merge_small(graph, MIN_FRAGMENT_AREA * unit * min(unit, 1.5), None)
    return Segmentation(number[labels], count, lines)


def merge_and_split(segmentation: Segmentation, mask: Gray, max_regions: int, merging: float = 1.0) -> Regions:
    """The regions the model sees: split where the foreground mask (h, w) cuts them, at most ``max_regions`` (>= 2).

    merging: a region smaller than so many times ``MIN_REGION_AREA`` joins one beside it.
    """
    inside = mask > 127
    labels, count = _split_by_mask(segmentation, inside)
    pixels = np.bincount(labels.ravel(), minlength=count)
    is_foreground = np.bincount(labels.ravel(), weights=inside.ravel(), minlength=count) > 0.5 * pixels
    weight = np.where(inside, FOREGROUND_WEIGHT, 1.0)
    graph = region_adjacency_graph(labels, count, segmentation.ink, weight, is_foreground)
    number, count = merge_small(graph, merging * MIN_REGION_AREA * _unit(mask.shape) ** 1.5, max_regions)
    foreground = np.zeros(count, np.bool_)
    foreground[number] = is_foreground
    return Regions(number[labels], count, segmentation.ink, foreground)


def _split_by_mask(segmentation: Segmentation, inside: Bools) -> tuple[Labels, int]:
    """Regions split at the border of ``inside`` where both parts are sizeable; each connected part gets a label of its own."""
    if inside.all() or not inside.any():
        return segmentation.labels, segmentation.count
    count = segmentation.count
    halves = segmentation.labels * 2 + inside
    everything = np.bincount(halves.ravel(), minlength=2 * count).reshape(count, 2)
    paper = np.bincount(halves[~segmentation.ink], minlength=2 * count).reshape(count, 2)
    # A mask often ends at the inner or the outer edge of a line, so ink says nothing, unless there is nothing else.
    sizes = np.where(paper.any(1, keepdims=True), paper, everything)
    minimum = MIN_SPLIT_AREA * MIN_REGION_AREA * _unit(inside.shape) ** 1.5
    is_split = (sizes.min(1) >= minimum) & (sizes.min(1) > MIN_SPLIT_SHARE * sizes.sum(1))
    larger_half = 2 * np.arange(count) + (sizes[:, 1] > sizes[:, 0])
    target = np.where(is_split[:, None], np.arange(2 * count).reshape(count, 2), larger_half[:, None]).ravel()
    labels: Any = connected_labels(target[halves] + 1, connectivity=2, background=0)
    return labels.astype(np.int32) - 1, int(labels.max())


def snap_mask_to_regions(mask: Gray, labels: Labels, count: int) -> Gray:
    """The mask (h, w) moved to the borders of regions: (h, w) 0 or 255.

    A region becomes foreground or background by what most of it is.  Only a large region that lies across the mask's edge
    (``UNDECIDED_SHARES``: an outline with a gap too wide to close) is split where the mask says, without narrow strips.
    """
    inside = mask > 127
    pixels = np.bincount(labels.ravel(), minlength=count)
    share = np.bincount(labels.ravel(), weights=inside.ravel(), minlength=count) / np.maximum(pixels, 1)
    low, high = UNDECIDED_SHARES
    is_undecided = (share > low) & (share < high) & (pixels > MIN_UNDECIDED_SHARE * labels.size)
    undecided = is_undecided[labels]
    foreground = undecided & inside
    if undecided.any():
        width = 2 * round(STRIP_RADIUS * min(mask.shape)) + 1
        foreground = _without_strips(foreground, width)
        foreground = undecided & ~_without_strips(undecided & ~foreground, width)
    snapped = np.where(undecided, foreground, (share > 0.5)[labels])
    return np.where(snapped, 255, 0).astype(np.uint8)


def _without_strips(area: Bools, width: int) -> Bools:
    """The area less what is narrower than ``width``: the margin by which a guessed mask misses a line."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    core: Any = cv2.dilate(cv2.morphologyEx(area.astype(np.uint8), cv2.MORPH_OPEN, disc), disc)
    return area & (core > 0)


@numba.njit(cache=True)
def _medians(labels: Any, count: Any, rgb: Any, trusted: Any) -> Any:
    height, width = labels.shape
    # Which regions have too few trusted pixels must be known before pixels are counted.
    trusted_count = np.zeros(count, np.int64)
    for y in range(height):
        for x in range(width):
            if labels[y, x] >= 0 and trusted[y, x]:
                trusted_count[labels[y, x]] += 1
    histogram = np.zeros((count, 3, 256), np.int32)
    total = np.zeros(count, np.int64)
    for y in range(height):
        for x in range(width):
            k = labels[y, x]
            if k >= 0 and (trusted[y, x] or trusted_count[k] < MIN_TRUSTED_PIXELS):
                total[k] += 1
                for c in range(3):
                    histogram[k, c, rgb[y, x, c]] += 1
    medians = np.zeros((count, 3), np.uint8)
    for k in range(count):
        for c in range(3):
            below = 0
            for v in range(256):
                below += histogram[k, c, v]
                if 2 * below >= total[k]:
                    medians[k, c] = v
                    break
    return medians, trusted_count


def region_medians(labels: Labels, count: int, rgb: Rgb, trusted: Bools) -> tuple[Rgb, np.ndarray]:
    """Median color of each region, (count, 3) uint8 per channel, and how many trusted pixels it has, (count,) int64.

    Only pixels that are ``trusted`` (h, w) count, unless a region has fewer than ``MIN_TRUSTED_PIXELS`` of them: then all of
    its pixels do.  Label -1 belongs to no region.  A region without any pixel is black.
    """
    medians, trusted_count = _medians(labels, count, np.ascontiguousarray(rgb), trusted)
    return medians, trusted_count
