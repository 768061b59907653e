"""A reference picture cut into regions of few colors: the palette the model points into."""

from dataclasses import dataclass
from typing import Any

import cv2
import numba
import numpy as np
from skimage.measure import label as connected_labels

from backend.imaging.color import lab_from_rgb
from backend.imaging.segmentation.region_merging import merge_small, region_adjacency_graph
from backend.imaging.segmentation.regions import region_medians
from backend.imaging.types import Bools, Floats, Gray, Labels, Rgb


@dataclass(frozen=True)
class Fineness:
    """How finely colors are told apart.

    colors: most of a picture; half of it each for figure and background when there are both.  radius: colors within this
    distance in Lab belong to one palette entry.
    """

    colors: int
    radius: float


COARSE = Fineness(28, 9.0)
"""One color for a thing, most of the time: for telling things apart."""
FINE = Fineness(48, 6.0)
"""Light and shade of a thing are colors of their own: for choosing from."""
RAREST = 0.0012
"""Smallest share of its side's pixels an entry needs (the three largest are taken anyway)."""


@dataclass(frozen=True)
class ReferenceRegions:
    """A color picture cut into regions of one palette color each, the largest first.

    labels: (h, w) int32, 0..m-1, -1 where a region was too small to keep.  palette_index: (m,) int32 into the palette.
    palette: (k, 3) uint8, medians of the picture's own pixels.  palette_foreground: (k,) bool.
    """

    labels: Labels
    palette_index: np.ndarray
    palette: Rgb
    palette_foreground: Bools


def reference_regions(rgb: Rgb, mask: Gray, max_regions: int, fineness: Fineness = COARSE) -> ReferenceRegions:
    """Regions of a reference (h, w, 3) with figure mask (h, w), 255 = figure; figure and background share no color."""
    index, palette, side = _palette(rgb, mask, fineness)
    parts: Any = connected_labels(index + 1, connectivity=1, background=0)
    labels, count = parts.astype(np.int32) - 1, int(parts.max())
    owner = np.zeros(count, np.int32)
    owner[labels.ravel()] = index.ravel()
    graph = region_adjacency_graph(labels, count, np.zeros(labels.shape, np.bool_), None, side[owner])
    number, merged = merge_small(graph, 10.0 * max(1.0, min(mask.shape) / 256) ** 1.5, None)
    pixels = np.bincount(labels.ravel(), minlength=count)
    votes = np.zeros((merged, len(palette)), np.int64)
    np.add.at(votes, (number, owner), pixels)
    largest = np.argsort(-votes.sum(1), kind="stable")[:max_regions]
    rank = np.full(merged, -1, np.int32)
    rank[largest] = np.arange(len(largest), dtype=np.int32)
    return ReferenceRegions(rank[number][labels], votes.argmax(1)[largest].astype(np.int32), palette, side)


def _palette(rgb: Rgb, mask: Gray, fineness: Fineness) -> tuple[Labels, Rgb, Bools]:
    """Palette entry of every pixel (h, w), the palette (k, 3) and which entries are the figure's (k,)."""
    smooth: Any = cv2.medianBlur(np.ascontiguousarray(rgb), 3)
    lab = lab_from_rgb(smooth)
    edges = np.abs(cv2.Laplacian(lab, cv2.CV_32F)).sum(-1)
    flatness = (1 / (1 + (edges / 6) ** 2)).astype(np.float32)  # colors are found where the picture is flat
    bins = smooth.astype(np.int32) >> 3
    keys = (bins[..., 0] << 10) | (bins[..., 1] << 5) | bins[..., 2]
    inside = mask > 127
    both = bool(inside.any()) and not bool(inside.all())
    centers: list[np.ndarray] = []
    sides: list[bool] = []
    for side in (False, True):
        chosen = inside == side
        if not chosen.any():
            continue
        most = fineness.colors // 2 if both else fineness.colors
        found = _leaders(keys[chosen], lab[chosen], flatness[chosen], most, fineness.radius)
        centers += found
        sides += [side] * len(found)
    colors, owners = np.array(centers, np.float32), np.array(sides, np.bool_)
    index, squared = _nearest(lab, inside, colors, owners)
    typical = (squared < fineness.radius**2) & (flatness > 0.3)
    palette, _ = region_medians(index, len(colors), rgb, typical)
    return index, palette, owners


def _leaders(keys: np.ndarray, lab: Floats, weight: Floats, most: int, radius: float) -> list[np.ndarray]:
    """Cluster centers in Lab: again and again the fullest color bin takes every bin within radius."""
    mass = np.bincount(keys, weights=weight, minlength=1 << 15)
    used = np.nonzero(mass)[0]
    mass = mass[used]
    sums = [np.bincount(keys, weights=weight * lab[:, c], minlength=1 << 15)[used] for c in range(3)]
    centers = np.stack(sums, 1) / mass[:, None]
    left = mass.copy()
    found: list[np.ndarray] = []
    while len(found) < most:
        top = int(left.argmax())
        if left[top] <= 0 or (len(found) >= 3 and left[top] < RAREST / 3 * len(keys)):
            break
        near = (((centers - centers[top]) ** 2).sum(1) < radius**2) & (left > 0)
        total = left[near].sum()
        if len(found) >= 3 and total < RAREST * len(keys):
            left[top] = 0
            continue
        found.append((centers[near] * left[near, None]).sum(0) / total)
        left[near] = 0
    return found


@numba.njit(cache=True)
def _nearest(lab: Any, inside: Any, colors: Any, owners: Any) -> Any:
    """Index (h, w) of the nearest color of the pixel's own side, and the squared distance to it."""
    height, width = inside.shape
    index = np.empty((height, width), np.int32)
    squared = np.empty((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            best, least = 0, np.float32(1e30)
            for k in range(len(colors)):
                if owners[k] == inside[y, x]:
                    d = np.float32(0)
                    for c in range(3):
                        d += (lab[y, x, c] - colors[k, c]) ** 2
                    if d < least:
                        best, least = k, d
            index[y, x], squared[y, x] = best, least
    return index, squared
