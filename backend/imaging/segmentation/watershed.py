"""Watershed by signed distance: segments a binary drawing and closes the gaps of its lines in one pass."""

from typing import Any

import numba
import numpy as np

from backend.imaging.types import Labels

LEVELS = 8
"""Quantized distance levels per pixel."""

_DY = (-1, 1, 0, 0, -1, -1, 1, 1)
_DX = (0, 0, -1, 1, -1, 1, -1, 1)


@numba.njit(cache=True)
def _root(parent: Any, i: Any) -> Any:
    while parent[i] != i:
        # Path halving keeps later searches short.
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@numba.njit(cache=True)
def _sort_descending(levels: Any) -> Any:
    """Indices of ``levels`` (n,) from the highest to the lowest; raster order among equals (counting sort)."""
    top, bottom = levels.max(), levels.min()
    start = np.zeros(top - bottom + 2, np.int64)
    for i in range(levels.size):
        start[top - levels[i] + 1] += 1
    for k in range(start.size - 1):
        start[k + 1] += start[k]
    order = np.empty(levels.size, np.int32)
    for i in range(levels.size):
        k = top - levels[i]
        order[start[k]] = i
        start[k] += 1
    return order


@numba.njit(cache=True)
def _flood(distance: Any, neck: Any, neck_ratio: Any, prominence: Any) -> Any:
    height, width = distance.shape
    level = distance.ravel()
    size = level.size
    basin = np.full(size, -1, np.int32)
    # Two pixels side by side are never both peaks, so there are no more basins than half the pixels, rounded up.
    parent = np.empty(size // 2 + 16, np.int32)
    peak = np.empty(size // 2 + 16, np.int32)
    basins = 0
    # Basins are the sets of a union-find forest: ``parent`` by basin, ``peak`` the highest level (largest radius) in a set.
    for i in _sort_descending(level):
        value = level[i]
        y, x = i // width, i % width
        neighbors = 8 if value > LEVELS else 4  # no diagonal step beside or inside a line: it would cross the line
        # The pixel joins the neighbor that is farthest from any line.  Without a visited neighbor it is a peak of its own.
        best, best_value = -1, -(1 << 30)
        for d in range(neighbors):
            yy, xx = y + _DY[d], x + _DX[d]
            if 0 <= yy < height and 0 <= xx < width:
                j = yy * width + xx
                if basin[j] >= 0 and level[j] > best_value:
                    best, best_value = _root(parent, basin[j]), level[j]
        if best < 0:
            parent[basins], peak[basins] = basins, value
            basin[i] = basins
            basins += 1
            continue
        # Through this pixel the basin meets others.  Basins with a peak inside ink are no regions and always join; those that
        # meet on paper join when the neck is wide for them, or when one is no more than a bump of the other.
        for d in range(neighbors):
            yy, xx = y + _DY[d], x + _DX[d]
            if not (0 <= yy < height and 0 <= xx < width):
                continue
            j = yy * width + xx
            if basin[j] < 0:
                continue
            other = _root(parent, basin[j])
            if other == best:
                continue
            lower = min(peak[other], peak[best])
            joins = value > neck or value > neck_ratio * lower or lower - value < prominence
            if lower <= 0 or (value > 0 and joins):
                if peak[other] > peak[best]:
                    parent[best] = other
                    best = other
                else:
                    parent[other] = best
        basin[i] = best
    number = np.full(basins, -1, np.int32)
    count = 0
    for k in range(basins):
        root = _root(parent, k)
        if number[root] < 0:
            number[root] = count
            count += 1
    for i in range(size):
        basin[i] = number[_root(parent, basin[i])]
    return basin.reshape(height, width), count


def watershed(distance: Any, neck: float, neck_ratio: float, prominence: float) -> tuple[Labels, int]:
    """Labels (h, w) int32 0..count-1 and count, from a signed distance (h, w) in pixels (positive on paper, negative in ink).

    Pixels are visited from the farthest from any line to the middle of the lines.  Two basins that meet on paper become one
    when the neck between them is wider than ``neck`` (half width, pixels) or than ``neck_ratio`` times the radius of the
    smaller basin, or when one of them rises less than ``prominence`` pixels above the neck; otherwise a border stays: the gap
    is closed.  Basins that meet inside a line stay apart, so borders run in the middle of lines.
    """
    quantized = np.rint(distance * LEVELS).astype(np.int32)
    labels, count = _flood(quantized, int(neck * LEVELS), neck_ratio, int(prominence * LEVELS))
    return labels, int(count)
