"""Splits a reference into regions of few colors: the palette that a model chooses from."""

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
    """How finely colors are told apart."""

    colors: int
    """Most palette colors of an image; half as many each for foreground and background when there are both."""
    radius: float
    """Colors within this distance in Lab belong to one palette color."""


COARSE = Fineness(28, 9.0)
"""One color for a thing, most of the time: for telling things apart."""
FINE = Fineness(48, 6.0)
"""Light and shade of a thing are colors of their own: for choosing from."""
MIN_COLOR_SHARE = 0.0012
"""Smallest share of the foreground (or of the background) that a palette color needs."""
ALWAYS_TAKEN = 3
"""So many colors of foreground and background each are taken however rare they are."""
MIN_REGION_AREA = 10.0
"""Smallest region of a reference, pixels of an image whose shorter side is 256 px."""


@dataclass(frozen=True)
class ReferenceRegions:
    """A color image split into m regions of one of k palette colors each, the largest first."""

    labels: Labels
    """(h, w) int32, 0..m-1, -1 where a region was too small to keep."""
    palette_index: np.ndarray
    """(m,) int32 into the palette."""
    palette: Rgb
    """(k, 3) uint8, medians of the image's own pixels."""
    palette_foreground: Bools
    """(k,) bool."""


def reference_regions(rgb: Rgb, mask: Gray, max_regions: int, fineness: Fineness = COARSE) -> ReferenceRegions:
    """Regions of a reference (h, w, 3) with its foreground mask (h, w); foreground and background share no color."""
    index, palette, foreground = _assign_palette(rgb, mask, fineness)
    # skimage takes 0 for background; index + 1 has none, so every pixel belongs to a component.
    components: Any = connected_labels(index + 1, connectivity=1, background=0)
    labels, count = components.astype(np.int32) - 1, int(components.max())
    color = np.zeros(count, np.int32)
    color[labels.ravel()] = index.ravel()
    graph = region_adjacency_graph(labels, count, np.zeros(labels.shape, np.bool_), None, foreground[color])
    # Areas grow with the square of the side; the power 1.5 lets larger images keep finer regions.
    minimum = MIN_REGION_AREA * max(1.0, min(mask.shape) / 256) ** 1.5
    number, merged = merge_small(graph, minimum, None)
    # A merged region has the color of most of its pixels.
    pixels = np.bincount(labels.ravel(), minlength=count)
    votes = np.zeros((merged, len(palette)), np.int64)
    np.add.at(votes, (number, color), pixels)
    largest = np.argsort(-votes.sum(1), kind="stable")[:max_regions]
    rank = np.full(merged, -1, np.int32)
    rank[largest] = np.arange(len(largest), dtype=np.int32)
    return ReferenceRegions(rank[number][labels], votes.argmax(1)[largest].astype(np.int32), palette, foreground)


def _assign_palette(rgb: Rgb, mask: Gray, fineness: Fineness) -> tuple[Labels, Rgb, Bools]:
    """Palette color of every pixel (h, w), the palette (k, 3), and which of its colors are the foreground's (k,)."""
    smooth: Any = cv2.medianBlur(np.ascontiguousarray(rgb), 3)
    lab = lab_from_rgb(smooth)
    edges = np.abs(cv2.Laplacian(lab, cv2.CV_32F)).sum(-1)
    flatness = (1 / (1 + (edges / 6) ** 2)).astype(np.float32)  # colors are found where the image is flat
    # Five bits a channel: 32768 bins are few enough to try each as a center, and fine enough to be one.
    bins = smooth.astype(np.int32) >> 3
    keys = (bins[..., 0] << 10) | (bins[..., 1] << 5) | bins[..., 2]
    inside = mask > 127
    has_both = bool(inside.any()) and not bool(inside.all())
    centers: list[np.ndarray] = []
    owners: list[bool] = []
    for foreground in (False, True):
        pixels = inside == foreground
        if not pixels.any():
            continue
        limit = fineness.colors // 2 if has_both else fineness.colors
        clusters = _cluster_colors(keys[pixels], lab[pixels], flatness[pixels], limit, fineness.radius)
        centers += clusters
        owners += [foreground] * len(clusters)
    colors, is_foreground = np.array(centers, np.float32), np.array(owners, np.bool_)
    index, squared = _nearest_centers(lab, inside, colors, is_foreground)
    # A palette color is a median of the image's own pixels: flat ones near the center, none from soft edges.
    typical = (squared < fineness.radius**2) & (flatness > 0.3)
    palette, _ = region_medians(index, len(colors), rgb, typical)
    return index, palette, is_foreground


def _cluster_colors(keys: np.ndarray, lab: Floats, weight: Floats, limit: int, radius: float) -> list[np.ndarray]:
    """At most ``limit`` cluster centers in Lab: again and again the fullest color bin takes every bin within ``radius``.

    keys: (n,) bin 0..2^15-1 of each pixel.  lab: (n, 3).  weight: (n,).
    """
    mass = np.bincount(keys, weights=weight, minlength=1 << 15)
    used = np.nonzero(mass)[0]
    mass = mass[used]
    sums = [np.bincount(keys, weights=weight * lab[:, c], minlength=1 << 15)[used] for c in range(3)]
    bin_colors = np.stack(sums, 1) / mass[:, None]
    left = mass.copy()
    centers: list[np.ndarray] = []
    while len(centers) < limit:
        fullest = int(left.argmax())
        optional = len(centers) >= ALWAYS_TAKEN
        # A bin below a third of the minimum hardly finds the rest around it: no use in trying all of the long tail.
        if left[fullest] <= 0 or (optional and left[fullest] < MIN_COLOR_SHARE / 3 * len(keys)):
            break
        near = (((bin_colors - bin_colors[fullest]) ** 2).sum(1) < radius**2) & (left > 0)
        total = left[near].sum()
        if optional and total < MIN_COLOR_SHARE * len(keys):
            left[fullest] = 0
            continue
        centers.append((bin_colors[near] * left[near, None]).sum(0) / total)
        left[near] = 0
    return centers


@numba.njit(cache=True)
def _nearest_centers(lab: Any, inside: Any, centers: Any, is_foreground: Any) -> Any:
    """Index (h, w) of the nearest center that is foreground as the pixel is, or background, and the squared distance to it."""
    height, width = inside.shape
    index = np.empty((height, width), np.int32)
    squared = np.empty((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            best, least = 0, np.float32(1e30)
            for k in range(len(centers)):
                if is_foreground[k] == inside[y, x]:
                    distance = np.float32(0)
                    for c in range(3):
                        distance += (lab[y, x, c] - centers[k, c]) ** 2
                    if distance < least:
                        best, least = k, distance
            index[y, x], squared[y, x] = best, least
    return index, squared
