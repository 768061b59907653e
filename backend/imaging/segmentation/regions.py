"""The drawing cut into regions: the lattice that flats, hints, selections and the finish all share.

Sizes are relative to a picture whose shorter side is 256 px (``unit`` = shorter side / 256).
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

ALPHA = 0.7
"""A neck narrower than this share of the smaller basin's radius is a gap in a line, a wider one is part of the shape."""
BUMP_PX = 0.6
FAINTEST_LINE, SOLID, TONE_STEP = 24, 205, 32
"""Contrast of the faintest line that counts, the ink from which any area, however wide, is line, and the step between two
tones of wide areas that counts as a border (0..255)."""
SPECK_AREA, FRAGMENT_AREA, REGION_AREA = 3.0, 10.0, 40.0
"""Smallest ink speck, smallest basin and smallest region, pixels at 256."""
FIGURE_WEIGHT = 4.0
"""Figure pixels count this much more than background when regions have to be joined."""
MINORITY = 0.06
"""A region is cut by the mask when the smaller part holds at least this share of it."""


STRIP = 0.012
"""Half the width of a strip that a guessed mask may be wrong by, as a fraction of the shorter side."""


@dataclass(frozen=True)
class Segmentation:
    """A drawing cut along its lines only.  labels: (h, w) int32 0..count-1, borders mid-line.  ink: (h, w) bool."""

    labels: Labels
    count: int
    ink: Bools


def _unit(shape: tuple[int, ...]) -> float:
    return min(shape[0], shape[1]) / 256.0


def line_mask(ink: Gray) -> Bools:
    """Where the lines are (h, w) bool, for ink (h, w) with 255 = line.

    A pixel is line when it stands out from its surroundings (a top-hat) by at least half of the strongest line pixel
    nearby: faint lines stay and the anti-aliased skirts of strong ones go, as does gray shade.  Solid blacks are line, too,
    and so is the rim of an area filled with one tone.
    """
    unit = max(1.0, _unit(ink.shape))
    side = 2 * round(4 * unit) + 1
    tone = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    contrast = cv2.subtract(ink, tone)
    side = 2 * round(1.5 * unit) + 1
    strongest = cv2.dilate(contrast, np.ones((side, side), np.uint8))
    lines = (contrast > FAINTEST_LINE) & (contrast >= strongest // 2 + strongest % 2)
    lines |= ink > SOLID
    lines |= cv2.subtract(tone, cv2.erode(tone, np.ones((3, 3), np.uint8))) > TONE_STEP
    return _without_specks(lines, SPECK_AREA * unit)


def _without_specks(lines: Bools, smallest: float) -> Bools:
    found: Any = cv2.connectedComponentsWithStats(lines.astype(np.uint8), connectivity=8)
    count, parts, stats, _ = found
    if count == 1:
        return lines
    keep = stats[:, cv2.CC_STAT_AREA] >= smallest
    keep[0] = False
    return keep[parts]


def segment(ink: Gray, gap: float) -> Segmentation:
    """The drawing (h, w), 255 = line, cut along its lines; no mask yet.

    gap: widest gap in the lines that is closed, as a fraction of the shorter side (0 = plain connected components).
    A drawing without any line, or all line, is one region.
    """
    lines = line_mask(ink)
    if lines.all() or not lines.any():
        return Segmentation(np.zeros(ink.shape, np.int32), 1, lines)
    unit = _unit(ink.shape)
    paper = (~lines).astype(np.uint8)
    distance = cv2.distanceTransform(paper, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - paper, cv2.DIST_L2, 5)
    labels, count = watershed(distance, 0.5 * gap * min(ink.shape), ALPHA, BUMP_PX * max(1.0, unit**0.5))
    graph = region_adjacency_graph(labels, count, lines, None, np.zeros(count, np.bool_))
    number, count = merge_small(graph, FRAGMENT_AREA * unit * min(unit, 1.5), None)
    return Segmentation(number[labels], count, lines)


def merge_and_split(segmentation: Segmentation, mask: Gray, max_regions: int, merging: float = 1.0) -> Regions:
    """The regions the model sees: cut where the figure mask (h, w; 255 = figure) cuts them, at most ``max_regions`` (>= 2).

    merging: a region smaller than so many times ``REGION_AREA`` joins one beside it.
    """
    inside = mask > 127
    labels, count = _split_by_mask(segmentation, inside)
    pixels = np.bincount(labels.ravel(), minlength=count)
    figure = np.bincount(labels.ravel(), weights=inside.ravel(), minlength=count) > 0.5 * pixels
    weight = np.where(inside, FIGURE_WEIGHT, 1.0)
    graph = region_adjacency_graph(labels, count, segmentation.ink, weight, figure)
    number, count = merge_small(graph, merging * REGION_AREA * _unit(mask.shape) ** 1.5, max_regions)
    foreground = np.zeros(count, np.bool_)
    foreground[number] = figure
    return Regions(number[labels], count, segmentation.ink, foreground)


def _split_by_mask(segmentation: Segmentation, inside: Bools) -> tuple[Labels, int]:
    """Regions cut at the border of ``inside`` where both parts are sizeable; each connected part gets a label of its own."""
    if inside.all() or not inside.any():
        return segmentation.labels, segmentation.count
    count = segmentation.count
    halves = segmentation.labels * 2 + inside
    everything = np.bincount(halves.ravel(), minlength=2 * count).reshape(count, 2)
    paper = np.bincount(halves[~segmentation.ink], minlength=2 * count).reshape(count, 2)
    parts = np.where(paper.any(1, keepdims=True), paper, everything)
    smallest = 0.3 * REGION_AREA * _unit(inside.shape) ** 1.5
    cut = (parts.min(1) >= smallest) & (parts.min(1) > MINORITY * parts.sum(1))
    whole = 2 * np.arange(count) + (parts[:, 1] > parts[:, 0])
    target = np.where(cut[:, None], np.arange(2 * count).reshape(count, 2), whole[:, None]).ravel()
    labels: Any = connected_labels(target[halves] + 1, connectivity=2, background=0)
    return labels.astype(np.int32) - 1, int(labels.max())


def snap_mask_to_regions(mask: Gray, labels: Labels, count: int) -> Gray:
    """The mask (h, w) moved to the borders of regions: (h, w) 0 or 255.

    A region goes to the side that holds most of it; only a large region that lies across the mask's edge (between a quarter
    and three quarters inside: an outline with a gap too wide to close) is cut where the mask says, narrow strips left out.
    """
    inside = mask > 127
    pixels = np.bincount(labels.ravel(), minlength=count)
    share = np.bincount(labels.ravel(), weights=inside.ravel(), minlength=count) / np.maximum(pixels, 1)
    undecided = (share > 0.25) & (share < 0.75) & (pixels > 0.002 * labels.size)
    across = undecided[labels]
    cut = across & inside
    if across.any():
        strip = 2 * round(STRIP * min(mask.shape)) + 1
        cut = _without_strips(cut, strip)
        cut = across & ~_without_strips(across & ~cut, strip)
    snapped = np.where(across, cut, (share > 0.5)[labels])
    return np.where(snapped, 255, 0).astype(np.uint8)


def _without_strips(area: Bools, width: int) -> Bools:
    """The area less what is narrower than ``width``: the margin by which a guessed mask misses a line."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    core: Any = cv2.dilate(cv2.morphologyEx(area.astype(np.uint8), cv2.MORPH_OPEN, disc), disc)
    return area & (core > 0)


@numba.njit(cache=True)
def _medians(labels: Any, count: Any, rgb: Any, ok: Any) -> Any:
    height, width = labels.shape
    trusted = np.zeros(count, np.int64)
    for y in range(height):
        for x in range(width):
            if labels[y, x] >= 0 and ok[y, x]:
                trusted[labels[y, x]] += 1
    histogram = np.zeros((count, 3, 256), np.int32)
    total = np.zeros(count, np.int64)
    for y in range(height):
        for x in range(width):
            k = labels[y, x]
            if k >= 0 and (ok[y, x] or trusted[k] < 3):
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
    return medians, trusted


def region_medians(labels: Labels, count: int, rgb: Rgb, ok: Bools) -> tuple[Rgb, np.ndarray]:
    """Median color of each region, (count, 3) uint8 per channel, and how many pixels it rests on, (count,) int64.

    Only pixels where ``ok`` (h, w) is true count, unless a region has fewer than 3 of them: then all of its pixels do.
    Label -1 belongs to no region.  A region without any pixel is black.
    """
    medians, trusted = _medians(labels, count, np.ascontiguousarray(rgb), ok)
    return medians, trusted
