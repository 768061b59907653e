"""Fixes the colors of regions by the painter's hints.

A stroke colors the part of the drawing in which it lies.  Parts are finer than regions, into which small parts were merged: a
stroke in such a small part colors that part alone.
"""

from typing import Any

import cv2
import numpy as np
from skimage.segmentation import watershed

from backend.imaging.edits.hint_strokes import HintStrokes, distinct_colors, find_hint_strokes, nearest_color
from backend.imaging.segmentation.label_maps import intersect_labels, label_areas, parent_labels, relabel
from backend.imaging.types import Bools, FixedRegions, Gray, Labels, Regions, Rgb, Rgba

MIN_STROKE_SHARE = 0.15
"""A stroke also colors a second part if it covers this share of what it covers of the first: less is a slip of the brush."""
MIN_PART_SHARE = 0.5
"""Or if it covers this share of the second part: a small one that was painted over on purpose."""
MAIN_PART_SHARE = 0.5
"""A part that is more than this share of its region stands for the whole region."""


def apply_hints(finer: Labels, regions: Regions, ink: Gray, hints: Rgba) -> tuple[Regions, FixedRegions]:
    """The regions, split so that each has one hint or none, and the colors of those that have one.

    finer: (h, w) labels of the drawing before regions were merged.  ink: (h, w), 255 = line.  hints: (H, W, 4), any size.

    A stroke colors the part under most of it (lines do not count unless there is nothing else), and others that it reaches well
    into.  Strokes of different colors in one part split it: each pixel goes to the stroke that is nearest along the part, lines
    crossed last.  Colors within ``COLOR_TOLERANCE`` of each other in one part become the most frequent of them.
    """
    strokes = find_hint_strokes(hints)
    rows, columns = (
        index * size // full
        for index, size, full in zip((strokes.rows, strokes.columns), regions.labels.shape, hints.shape[:2], strict=True)
    )
    parts = intersect_labels(regions.labels, finer)
    # Strokes are counted in pixels of the hints, so the sizes of parts must be, too.
    hint_pixels_per_cell = hints.shape[0] * hints.shape[1] / parts.size
    part_sizes = label_areas(parts, int(parts.max()) + 1) * hint_pixels_per_cell
    part_of_pixel = parts[rows, columns]
    strokes_of_part = _strokes_by_part(strokes, part_of_pixel, regions.ink[rows, columns], part_sizes)
    labels, new_colors, next_label = regions.labels.copy(), dict[int, Rgb](), regions.count
    # Every hinted share gets a new number; what no hint colors keeps its old one.
    for part, area in _hint_targets(regions, parts, strokes_of_part):
        groups = _group_by_color(strokes, strokes_of_part[part], part_of_pixel == part)
        shares = [area]
        if len(groups) > 1:
            markers = np.zeros(labels.shape, np.int32)
            for number in range(len(groups) - 1, -1, -1):  # last the most frequent: it wins where strokes meet in one pixel
                in_group = np.isin(strokes.stroke, groups[number])
                markers[rows[in_group], columns[in_group]] = number + 1
            owner = _split_between_hints(area, markers, ink)
            shares = [owner == number + 1 for number in range(len(groups))]
        for share, group in zip(shares, groups, strict=True):
            labels[share] = next_label
            new_colors[next_label] = strokes.colors[group[0]]
            next_label += 1
    # Regions that were hinted all over are gone, which leaves gaps in the numbers.
    labels, old = relabel(labels)
    parent = parent_labels(labels, regions.labels)
    is_fixed = np.array([k in new_colors for k in old.tolist()], np.bool_)
    colors = np.array([new_colors.get(k, (0, 0, 0)) for k in old.tolist()], np.uint8)
    return Regions(labels, len(old), regions.ink, regions.foreground[parent]), FixedRegions(is_fixed, colors)


def _strokes_by_part(
    strokes: HintStrokes, part_of_pixel: Labels, on_line: Bools, part_sizes: np.ndarray
) -> dict[int, set[int]]:
    """The strokes that color each part; parts that no stroke colors are left out.

    part_of_pixel, on_line: (n,) what lies under each painted pixel.  part_sizes: (count,) in pixels of the hints.
    """
    count, stroke_count = len(part_sizes), len(strokes.colors)
    reaches_paper = np.bincount(strokes.stroke[~on_line], minlength=stroke_count) > 0
    # Paint on lines counts only where the stroke touches nothing but lines.
    counts = ~on_line | ~reaches_paper[strokes.stroke]
    pairs, amount = np.unique(strokes.stroke[counts] * count + part_of_pixel[counts], return_counts=True)
    stroke, part = pairs // count, pairs % count
    largest = np.zeros(stroke_count)
    np.maximum.at(largest, stroke, amount)
    colored = (amount >= MIN_STROKE_SHARE * largest[stroke]) | (amount >= MIN_PART_SHARE * part_sizes[part])
    strokes_of_part: dict[int, set[int]] = {}
    for s, p in zip(stroke[colored].tolist(), part[colored].tolist(), strict=True):
        strokes_of_part.setdefault(p, set()).add(s)
    return strokes_of_part


def _hint_targets(regions: Regions, parts: Labels, strokes_of_part: dict[int, set[int]]) -> list[tuple[int, Bools]]:
    """Each part with a hint, and all that is colored with it, (h, w) bool.

    A main part (``MAIN_PART_SHARE``) takes the rest of its region along, except other parts that have hints of their own.
    """
    region_of_part, part_sizes = parent_labels(parts, regions.labels), label_areas(parts, int(parts.max()) + 1)
    region_sizes = label_areas(regions.labels, regions.count)
    is_main = {p: part_sizes[p] > MAIN_PART_SHARE * region_sizes[region_of_part[p]] for p in strokes_of_part}
    targets: list[tuple[int, Bools]] = []
    for part in sorted(strokes_of_part):
        if is_main[part]:
            region = region_of_part[part]
            others = [p for p in strokes_of_part if not is_main[p] and region_of_part[p] == region]
            targets.append((part, (regions.labels == region) & ~np.isin(parts, others)))
        else:
            targets.append((part, parts == part))
    return targets


def _group_by_color(strokes: HintStrokes, members: set[int], in_part: Bools) -> list[list[int]]:
    """The strokes of a part grouped by color, the most frequent color first; the first of a group has the group's color.

    in_part: (n,) the painted pixels that lie in the part.
    """
    numbers = np.array(sorted(members))
    amounts = np.bincount(strokes.stroke[in_part], strokes.weight[in_part], minlength=len(strokes.colors))[numbers]
    palette = strokes.colors[numbers].astype(np.int64)
    codes = palette[:, 0] << 16 | palette[:, 1] << 8 | palette[:, 2]
    for code in np.unique(codes):  # strokes of exactly one color count together
        amounts = np.where(codes == code, amounts[codes == code].sum(), amounts)
    distinct = distinct_colors(strokes.colors[numbers], amounts, 0.0)
    group = nearest_color(strokes.colors[numbers], strokes.colors[numbers[distinct]])
    return [[int(numbers[k]), *(int(m) for m in numbers[group == i] if m != numbers[k])] for i, k in enumerate(distinct)]


def _split_between_hints(area: Bools, markers: Labels, ink: Gray) -> Labels:
    """Which marker each pixel of ``area`` (h, w) belongs to, (h, w) 1..k; 0 elsewhere.  markers: (h, w) 1..k, 0 = none."""
    markers = np.where(area, markers, 0)
    present = np.unique(markers[markers > 0])
    if len(present) <= 1:
        return np.where(area, present[0] if len(present) else 1, 0).astype(np.int32)
    unmarked: Any = (markers == 0).astype(np.uint8)
    transform: Any = cv2.distanceTransformWithLabels(unmarked, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    distance, nearest_pixel = transform
    # OpenCV numbers the marked pixels in its own way; this table leads from its numbers back to the markers.
    owner = np.zeros(int(nearest_pixel.max()) + 1, np.int32)
    owner[nearest_pixel[markers > 0]] = markers[markers > 0]
    # The height rises with the distance, so two strokes meet halfway; a line is a wall higher than any distance.
    height = distance + ink.astype(np.float32) * (max(ink.shape) / 255)
    flooded: Any = watershed(height, markers, mask=area)
    # What no path inside the area reaches goes to the marker that is nearest in a straight line.
    return np.where(area & (flooded == 0), owner[nearest_pixel], flooded).astype(np.int32)
