"""Color spots become regions of fixed color.

A spot colors the part of the drawing it lies in.  Parts are finer than the model's regions, into which small ones are joined:
a spot in such a small part colors that part alone.
"""

from typing import Any

import cv2
import numpy as np
from skimage.segmentation import watershed

from backend.imaging.edits.hint_strokes import HintStrokes, distinct_colors, find_hint_strokes, nearest_color
from backend.imaging.segmentation.label_maps import intersect_labels, label_areas, parent_labels, relabel
from backend.imaging.types import Bools, FixedRegions, Gray, Labels, Regions, Rgb, Rgba

REACHES = 0.15
"""A spot also colors a second part if it covers this share of what it covers of the first: less is a slip of the brush."""
COVERS = 0.5
"""Or if it covers this share of the second part: a small one that was wiped over on purpose."""
MAIN = 0.5
"""A part that is more than this share of its region stands for the whole region."""


def apply_hints(finer: Labels, regions: Regions, ink: Gray, hints: Rgba) -> tuple[Regions, FixedRegions]:
    """The regions cut so that each has one hint or none, and the colors of those that have one.

    finer: (h, w) labels of the drawing before regions were joined.  ink: (h, w), 255 = line.  hints: (H, W, 4), any size.

    A spot colors the part under most of it (lines do not count unless there is nothing else), and others that it reaches well
    into.  Different colors in one part divide it: each pixel goes to the spot that is nearest along the part, lines crossed
    last.  A part with colors hardly apart has the most frequent one.
    """
    spots = find_hint_strokes(hints)
    rows, columns = (
        at * size // whole
        for at, size, whole in zip((spots.rows, spots.columns), regions.labels.shape, hints.shape[:2], strict=True)
    )
    parts = intersect_labels(regions.labels, finer)
    scale = hints.shape[0] * hints.shape[1] / parts.size
    labels, paint = regions.labels.copy(), dict[int, Rgb]()
    following = regions.count
    under = parts[rows, columns]
    marked = _marked(spots, under, regions.ink[rows, columns], label_areas(parts, int(parts.max()) + 1) * scale)
    for part, inside in _hint_targets(regions, parts, marked):
        chosen = _colors(spots, marked[part], under == part)
        shares = [inside]
        if len(chosen) > 1:
            markers = np.zeros(labels.shape, np.int32)
            for number in range(len(chosen) - 1, -1, -1):  # where they meet in one pixel, the most frequent remains
                mine = np.isin(spots.stroke, chosen[number])
                markers[rows[mine], columns[mine]] = number + 1
            divided = _split_between_hints(inside, markers, ink)
            shares = [divided == number + 1 for number in range(len(chosen))]
        for share, members in zip(shares, chosen, strict=True):
            labels[share] = following
            paint[following] = spots.colors[members[0]]
            following += 1
    labels, old = relabel(labels)
    origin = parent_labels(labels, regions.labels)
    fixed = np.array([k in paint for k in old.tolist()], np.bool_)
    colors = np.array([paint.get(k, (0, 0, 0)) for k in old.tolist()], np.uint8)
    return Regions(labels, len(old), regions.ink, regions.foreground[origin]), FixedRegions(fixed, colors)


def _marked(spots: HintStrokes, parts: Labels, inked: Bools, size: np.ndarray) -> dict[int, set[int]]:
    """The parts that each spot colors.  parts, inked: (n,) under each painted pixel.  size: (count,) in the hints' pixels."""
    count, on_paper = len(size), np.bincount(spots.stroke[~inked], minlength=len(spots.colors)) > 0
    counts = ~inked | ~on_paper[spots.stroke]
    pairs, amount = np.unique(spots.stroke[counts] * count + parts[counts], return_counts=True)
    spot, part = pairs // count, pairs % count
    most = np.zeros(len(spots.colors))
    np.maximum.at(most, spot, amount)
    reached = (amount >= REACHES * most[spot]) | (amount >= COVERS * size[part])
    found: dict[int, set[int]] = {}
    for s, p in zip(spot[reached].tolist(), part[reached].tolist(), strict=True):
        found.setdefault(p, set()).add(s)
    return found


def _hint_targets(regions: Regions, parts: Labels, marked: dict[int, set[int]]) -> list[tuple[int, Bools]]:
    """The marked parts, each with all that is colored with it, (h, w) bool: a main part brings its region along."""
    whole, size = parent_labels(parts, regions.labels), label_areas(parts, int(parts.max()) + 1)
    total = label_areas(regions.labels, regions.count)
    alone = {p: size[p] <= MAIN * total[whole[p]] for p in marked}
    units: list[tuple[int, Bools]] = []
    for part in sorted(marked):
        if alone[part]:
            units.append((part, parts == part))
        else:
            others = [p for p in marked if alone[p] and whole[p] == whole[part]]
            units.append((part, (regions.labels == whole[part]) & ~np.isin(parts, others)))
    return units


def _colors(spots: HintStrokes, members: set[int], here: Bools) -> list[list[int]]:
    """The spots of a part, those of one color together, the most frequent color first and named by its first spot.

    here: (n,) the painted pixels that lie in the part.
    """
    known = np.array(sorted(members))
    amounts = np.bincount(spots.stroke[here], spots.weight[here], minlength=len(spots.colors))[known]
    palette = spots.colors[known].astype(np.int64)
    codes = palette[:, 0] << 16 | palette[:, 1] << 8 | palette[:, 2]
    for code in np.unique(codes):  # spots of exactly one color count together
        amounts = np.where(codes == code, amounts[codes == code].sum(), amounts)
    chosen = distinct_colors(spots.colors[known], amounts, 0.0)
    group = nearest_color(spots.colors[known], spots.colors[known[chosen]])
    return [[int(known[k]), *(int(m) for m in known[group == i] if m != known[k])] for i, k in enumerate(chosen)]


def _split_between_hints(inside: Bools, markers: Labels, ink: Gray) -> Labels:
    """Which marker's area each pixel of ``inside`` belongs to, (h, w) 1..k; 0 elsewhere."""
    markers = np.where(inside, markers, 0)
    present = np.unique(markers[markers > 0])
    if len(present) <= 1:
        return np.where(inside, present[0] if len(present) else 1, 0).astype(np.int32)
    missing: Any = (markers == 0).astype(np.uint8)
    found: Any = cv2.distanceTransformWithLabels(missing, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    distance, nearest_cell = found
    owner = np.zeros(int(nearest_cell.max()) + 1, np.int32)
    owner[nearest_cell[markers > 0]] = markers[markers > 0]
    # Rising with the distance, the floods of two spots meet halfway; a line is a wall higher than any distance.
    walls = distance + ink.astype(np.float32) * (max(ink.shape) / 255)
    flooded: Any = watershed(walls, markers, mask=inside)
    return np.where(inside & (flooded == 0), owner[nearest_cell], flooded).astype(np.int32)
