"""Brings labels from working size to canvas size, with borders in the middle of the canvas-size lines."""

from typing import Any

import cv2
import numba
import numpy as np

from backend.imaging.parallel_rows import parallel_rows
from backend.imaging.types import Gray, Labels

SEED_DISTANCE = 3
"""Working cells at least this far (chessboard) from a border keep their label; nearer ones get new labels by the watershed."""
BORDER_RIDGE = 40
"""Height of the ridge (in ink levels) along the old border; the new border follows it where there is no stronger ink."""
MAX_SEED_INK = 96
"""A cell of a narrow region seeds the watershed only where its ink is below this."""
SEED_HALF_WIDTH = 0.25
"""Half the width of the middle part of such a cell that is a seed, in cells."""
_BAND_ROWS = 256


@numba.njit(cache=True)
def _border_distance(labels: Any) -> Any:
    """Chessboard distance 1..SEED_DISTANCE of each cell to the nearest cell of another label."""
    height, width = labels.shape
    distance = np.full((height, width), SEED_DISTANCE, np.uint8)
    for y in range(height):
        for x in range(width):
            for yy in range(max(0, y - 1), min(height, y + 2)):
                for xx in range(max(0, x - 1), min(width, x + 2)):
                    if labels[yy, xx] != labels[y, x]:
                        distance[y, x] = 1
    for step in range(2, SEED_DISTANCE):
        for y in range(height):
            for x in range(width):
                if distance[y, x] == SEED_DISTANCE:
                    for yy in range(max(0, y - 1), min(height, y + 2)):
                        for xx in range(max(0, x - 1), min(width, x + 2)):
                            if distance[yy, xx] == step - 1:
                                distance[y, x] = step
    return distance


@numba.njit(cache=True)
def _is_ridge(labels: Any, distance: Any, y: Any, x: Any) -> Any:
    """Whether no neighbor of the same label is farther from the border: the middle of a narrow region."""
    for yy in range(max(0, y - 1), min(labels.shape[0], y + 2)):
        for xx in range(max(0, x - 1), min(labels.shape[1], x + 2)):
            if labels[yy, xx] == labels[y, x] and distance[yy, xx] > distance[y, x]:
                return False
    return True


@numba.njit(cache=True)
def _share(labels: Any, v: Any, u: Any, label: Any) -> Any:
    """Share of ``label`` at (v, u) in cell coordinates, cubic B-spline weights over 4 x 4 cells."""
    height, width = labels.shape
    y0, x0 = int(np.floor(v)), int(np.floor(u))
    fy, fx = np.float32(v - y0), np.float32(u - x0)
    total = np.float32(0)
    for i in range(-1, 3):
        yy = min(max(y0 + i, 0), height - 1)
        wy = _spline(fy - i)
        for j in range(-1, 3):
            xx = min(max(x0 + j, 0), width - 1)
            if labels[yy, xx] == label:
                total += wy * _spline(fx - j)
    return total


@numba.njit(cache=True)
def _spline(t: Any) -> Any:
    """The cubic B-spline at t."""
    t = abs(t)
    if t < 1:
        return np.float32(2 / 3) - t * t * (1 - t / 2)
    if t < 2:
        return (2 - t) ** 3 / 6
    return np.float32(0)


@numba.njit(cache=True, nogil=True)
def _upsample_band(labels: Any, distance: Any, ink: Any, top: Any, bottom: Any, halo: Any, out: Any) -> None:
    h, w = labels.shape
    height, width = ink.shape
    # The band is computed with some rows more on either side, so that its borders do not depend on where it was cut.
    first, last = max(0, top - halo), min(height, bottom + halo)
    rows = last - first
    sy, sx = h / height, w / width
    owner = np.full((rows, width), -1, np.int32)
    level = np.zeros((rows, width), np.uint8)
    # The faintest ink in each cell tells cells that are all line from those with some paper.
    faintest_ink = np.full((int((last - 1) * sy + 1) - int(first * sy) + 1, w), 255, np.uint8)
    cell_top = int((first + 0.5) * sy)
    for y in range(rows):
        cy = int((first + y + 0.5) * sy) - cell_top
        for x in range(width):
            cx = int((x + 0.5) * sx)
            faintest_ink[cy, cx] = min(faintest_ink[cy, cx], ink[first + y, x])
    # Seeds keep their label; all other pixels get the height at which they are flooded.
    for y in range(rows):
        v = (first + y + 0.5) * sy
        cy = int(v)
        for x in range(width):
            u = (x + 0.5) * sx
            cx = int(u)
            label = labels[cy, cx]
            pixel_ink = ink[first + y, x]
            # In a region of one or two cells only the middle of a cell is sure: its rim may lie beyond the line.  A cell that
            # is all line is a seed nevertheless, or its region would be lost.
            central = max(abs(v - cy - 0.5), abs(u - cx - 0.5)) <= SEED_HALF_WIDTH
            may_seed = (central and pixel_ink < MAX_SEED_INK) or faintest_ink[cy - cell_top, cx] >= MAX_SEED_INK
            if distance[cy, cx] >= SEED_DISTANCE or (may_seed and _is_ridge(labels, distance, cy, cx)):
                owner[y, x] = label
            else:
                # 0 on the smooth curve of the old border, 1 well inside the region.
                margin = abs(2 * _share(labels, v - 0.5, u - 0.5, label) - 1)
                level[y, x] = max(pixel_ink, int(BORDER_RIDGE * (1 - margin)))
    _flood_levels(owner, level)
    for y in range(top, bottom):
        for x in range(width):
            label = owner[y - first, x]
            out[y, x] = label if label >= 0 else labels[int((y + 0.5) * sy), int((x + 0.5) * sx)]


@numba.njit(cache=True, nogil=True)
def _flood_levels(labels: Any, level: Any) -> None:
    """Grows the labels into the pixels that are -1, from the lowest level to the highest, first come first served.

    Source: F. Meyer, "Topographic distance and watershed lines", Signal Processing 38, 1994 (the flooding by ordered queues).
    The queue of each of the 256 levels is a linked list, all of them in two arrays: ``queue_pixel`` and ``queue_next``.
    """
    rows, width = labels.shape
    # Every unlabeled pixel is queued at most once, so their number is room enough for all queues.
    unlabeled = 0
    for label in labels.ravel():
        if label < 0:
            unlabeled += 1
    queue_pixel = np.empty(unlabeled, np.int64)
    queue_next = np.empty(unlabeled, np.int64)
    head, tail = np.full(256, -1, np.int64), np.full(256, -1, np.int64)
    used = 0
    owner, depth = labels.ravel(), level.ravel()
    queued = np.zeros(rows * width, np.bool_)
    current = 0
    # At first the pixels beside labeled ones wait, each in the queue of its own level.
    for start in range(rows * width):
        if owner[start] < 0:
            continue
        y, x = start // width, start % width
        for d in range(4):
            yy, xx = y + (d == 0) - (d == 1), x + (d == 2) - (d == 3)
            if 0 <= yy < rows and 0 <= xx < width:
                j = yy * width + xx
                if owner[j] < 0 and not queued[j]:
                    queued[j] = True
                    k = depth[j]
                    queue_pixel[used], queue_next[used] = j, -1
                    if head[k] < 0:
                        head[k] = used
                    else:
                        queue_next[tail[k]] = used
                    tail[k] = used
                    used += 1
    # Then the lowest queue is emptied first.  A neighbor never waits in a lower queue than the pixel it was reached from, so
    # the water rises evenly and areas meet on the crests.
    while current < 256:
        if head[current] < 0:
            current += 1
            continue
        entry = head[current]
        head[current] = queue_next[entry]
        i = queue_pixel[entry]
        y, x = i // width, i % width
        best, best_depth = -1, 256  # the label of the lowest neighbor, and not of the one that came first
        for d in range(4):
            yy, xx = y + (d == 0) - (d == 1), x + (d == 2) - (d == 3)
            if 0 <= yy < rows and 0 <= xx < width:
                j = yy * width + xx
                if owner[j] >= 0 and depth[j] < best_depth:
                    best, best_depth = owner[j], depth[j]
                if owner[j] < 0 and not queued[j]:
                    queued[j] = True
                    k = max(current, depth[j])
                    queue_pixel[used], queue_next[used] = j, -1
                    if head[k] < 0:
                        head[k] = used
                    else:
                        queue_next[tail[k]] = used
                    tail[k] = used
                    used += 1
        owner[i] = best


def upsample_labels(labels: Labels, ink: Gray) -> np.ndarray:
    """Labels (h, w) of a drawing at the size of its ink (H, W) >= (h, w), as uint16 (count must be below 65536).

    Cells away from borders keep their label.  A strip of two cells along the borders is flooded anew at canvas size, from
    little ink to much: borders come to lie on the crest of the line.  Where there is no line (a closed gap, the edge of a mask)
    they follow the smooth curve of the old border.  Bands of rows are independent; memory stays small.
    """
    height, width = ink.shape
    if labels.shape == ink.shape:
        return labels.astype(np.uint16)
    out = np.empty((height, width), np.uint16)
    compact = labels.astype(np.uint16)
    distance = _border_distance(compact)
    # The flooded strip is two cells on either side of a border, so four cells more hold all of it.
    halo = int(np.ceil(4 * height / labels.shape[0]))
    parallel_rows(height, _BAND_ROWS, lambda top, bottom: _upsample_band(compact, distance, ink, top, bottom, halo, out))
    return out


def upsample_mask(mask: Gray, ink: Gray) -> Gray:
    """A 0/255 mask (h, w) at the size of the ink (H, W), its edge on the crest of the lines, anti-aliased over one pixel."""
    hard = np.where(upsample_labels((mask > 127).astype(np.int32), ink) > 0, 255, 0).astype(np.uint8)
    soft: Any = cv2.GaussianBlur(hard, (3, 3), 0)
    return soft
