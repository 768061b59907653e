"""The finish at canvas size: crisp regions, soft colors, the figure's alpha, and the composite, in bands of rows."""

from typing import Any

import cv2
import numba
import numpy as np

from backend.imaging.parallel_rows import parallel_rows
from backend.imaging.region_fill import RegionColors
from backend.imaging.types import Bools, Gray, Regions, Rgba

_ROWS = 64
TOUCHED_INK = 16
"""Ink from which a pixel belongs to the line that the figure's alpha may be carried under."""
REACH = 0.012
"""How far the alpha may be carried under a line, as a fraction of the shorter side: half the width of a bold line."""


@numba.njit(cache=True, nogil=True, inline="always")
def _bilinear(picture: Any, y0: Any, x0: Any, fy: Any, fx: Any, c: Any) -> Any:
    above = picture[y0, x0, c] * (1 - fx) + picture[y0, x0 + 1, c] * fx
    below = picture[y0 + 1, x0, c] * (1 - fx) + picture[y0 + 1, x0 + 1, c] * fx
    return above * (1 - fy) + below * fy


@numba.njit(cache=True, nogil=True)
def _bilinear_in_region(own: Any, labels: Any, label: Any, y0: Any, x0: Any, fy: Any, fx: Any, out: Any) -> Any:
    """Bilinear color over the cells that carry ``label``; the nearest such cell within two when none of the four does."""
    total = np.float32(0)
    out[:] = 0
    for i in range(2):
        wy = fy if i else 1 - fy
        for j in range(2):
            if labels[y0 + i, x0 + j] == label:
                w = max(wy * (fx if j else 1 - fx), np.float32(1e-6))
                total += w
                for c in range(3):
                    out[c] += w * own[y0 + i, x0 + j, c]
    if total > 0:
        for c in range(3):
            out[c] /= total
        return True
    best = np.float32(1e9)
    for yy in range(max(0, y0 - 2), min(labels.shape[0], y0 + 4)):
        for xx in range(max(0, x0 - 2), min(labels.shape[1], x0 + 4)):
            if labels[yy, xx] == label:
                d = (yy - y0 - fy) ** 2 + (xx - x0 - fx) ** 2
                if d < best:
                    best = d
                    for c in range(3):
                        out[c] = own[yy, xx, c]
    return best < 1e9


@numba.njit(cache=True, nogil=True)
def _paint_band(
    lifted: Any, labels: Any, side: Any, own: Any, fill: Any, foreground: Any, ink: Any, top: Any, bottom: Any, out: Any
) -> None:
    """One side's colors: ``own`` where the region is of that ``side``, ``fill`` elsewhere; borders without ink softened."""
    h, w = labels.shape
    height, width = lifted.shape
    color, part, total = np.empty(3, np.float32), np.empty(3, np.float32), np.empty(3, np.float32)
    for y in range(top, bottom):
        v = min(max((y + 0.5) * h / height - 0.5, 0.0), h - 1.0)
        y0 = min(int(v), h - 2)
        fy = np.float32(v - y0)
        for x in range(width):
            u = min(max((x + 0.5) * w / width - 0.5, 0.0), w - 1.0)
            x0 = min(int(u), w - 2)
            fx = np.float32(u - x0)
            label = lifted[y, x]
            border = False
            if ink[y, x] < 255:
                up, down, left, right = max(y - 1, 0), min(y + 1, height - 1), max(x - 1, 0), min(x + 1, width - 1)
                border = (
                    lifted[up, x] != label or lifted[down, x] != label or lifted[y, left] != label or lifted[y, right] != label
                )
            plain = (
                labels[y0, x0] == label
                and labels[y0, x0 + 1] == label
                and labels[y0 + 1, x0] == label
                and labels[y0 + 1, x0 + 1] == label
            )
            if foreground[label] != side:
                for c in range(3):
                    color[c] = _bilinear(fill, y0, x0, fy, fx, c)
            elif plain or not _bilinear_in_region(own, labels, label, y0, x0, fy, fx, color):
                for c in range(3):
                    color[c] = _bilinear(own, y0, x0, fy, fx, c)
            if border and foreground[label] == side:
                weight = np.float32(4)
                for c in range(3):
                    total[c] = 4 * color[c]
                for i in range(-1, 2):
                    yy = min(max(y + i, 0), height - 1)
                    for j in range(-1, 2):
                        xx = min(max(x + j, 0), width - 1)
                        other = lifted[yy, xx]
                        k = np.float32((2 - abs(i)) * (2 - abs(j)))
                        if k < 4 and foreground[other] == side:
                            if other == label:
                                part[:] = color
                            elif not _bilinear_in_region(own, labels, other, y0, x0, fy, fx, part):
                                continue
                            weight += k
                            for c in range(3):
                                total[c] += k * part[c]
                amount = 1 - np.float32(ink[y, x]) / 255
                for c in range(3):
                    color[c] += amount * (total[c] / weight - color[c])
            for c in range(3):
                out[y, x, c] = np.uint8(min(max(color[c] + np.float32(0.5), np.float32(0)), np.float32(255)))


def render_layer(lifted: np.ndarray, regions: Regions, washes: RegionColors, ink: Gray, side: bool, out: Rgba) -> None:
    """Fills the colors of ``out`` (H, W, 4) for the figure (side True) or the background; alpha is left as it is.

    lifted: (H, W) uint16 labels at canvas size.
    """
    labels = regions.labels.astype(np.uint16)
    labels, own, fill = (_at_least_two(a) for a in (labels, washes.image, washes.foreground if side else washes.background))

    def work(top: int, bottom: int) -> None:
        _paint_band(lifted, labels, side, own, fill, regions.foreground, ink, top, bottom, out)

    parallel_rows(lifted.shape[0], _ROWS, work)


def _at_least_two(array: np.ndarray) -> np.ndarray:
    """Repeats a single row or column, so that four neighbors always exist."""
    padding = [(0, int(array.shape[0] == 1)), (0, int(array.shape[1] == 1))] + [(0, 0)] * (array.ndim - 2)
    return np.ascontiguousarray(np.pad(array, padding, mode="edge"))


@numba.njit(cache=True, nogil=True)
def _carry_under(alpha: Any, lifted: Any, foreground: Any, ink: Any, lines: Any, reach: Any) -> None:
    height, width = alpha.shape
    h, w = lines.shape
    front = [np.int64(0)]
    front.pop()
    for y in range(height):
        for x in range(width):
            if alpha[y, x] >= 128:
                edge = alpha[y, x] < 255
                for d in range(4):
                    yy, xx = y + (d == 0) - (d == 1), x + (d == 2) - (d == 3)
                    if 0 <= yy < height and 0 <= xx < width and alpha[yy, xx] < 128:
                        edge = True
                if edge:
                    front.append(y * width + x)
    seen = np.zeros((0, 0), np.bool_)
    if len(front) > 0:
        seen = np.zeros((height, width), np.bool_)
    for step in range(reach + 1):
        following = [np.int64(0)]
        following.pop()
        for i in front:
            y, x = i // width, i % width
            touched = ink[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].max() >= TOUCHED_INK
            under = touched and foreground[lifted[y, x]] and lines[y * h // height, x * w // width]
            if under:
                alpha[y, x] = 255
            if not under and step > 0:
                continue
            for d in range(4):
                yy, xx = y + (d == 0) - (d == 1), x + (d == 2) - (d == 3)
                if 0 <= yy < height and 0 <= xx < width and alpha[yy, xx] < 255 and not seen[yy, xx]:
                    seen[yy, xx] = True
                    following.append(yy * width + xx)
        front = following


def extend_alpha_under_lines(mask: Gray, lifted: np.ndarray, foreground: Bools, ink: Gray, lines: Bools) -> Gray:
    """The figure's alpha (H, W): the mask, carried on under the line that its edge touches, up to the middle of that line.

    lines: (h, w) bool, where the drawing's lines are at working size.  Only pixels of a line, or right beside its ink, become
    opaque, if their region belongs to the figure and they are connected to the mask's edge within ``KERNEL_WIDTH``;
    everything else
    keeps the mask's value.
    """
    alpha = mask.copy()
    reach = int(np.ceil(REACH * min(mask.shape))) + 1
    with_skirts: Any = cv2.dilate(lines.astype(np.uint8), np.ones((5, 5), np.uint8))
    _carry_under(alpha, lifted, foreground, ink, with_skirts, reach)
    return alpha


@numba.njit(cache=True, nogil=True)
def _composite_band(over: Any, under: Any, top: Any, bottom: Any, out: Any) -> None:
    for y in range(top, bottom):
        for x in range(over.shape[1]):
            a = np.uint32(over[y, x, 3])
            for c in range(3):
                out[y, x, c] = (over[y, x, c] * a + under[y, x, c] * (255 - a) + 127) // 255
            out[y, x, 3] = 255


def composite(over: Rgba, under: Rgba) -> Rgba:
    """Straight-alpha ``over`` (H, W, 4) on opaque ``under``: (H, W, 4) uint8, opaque, each channel rounded once."""
    out = np.empty_like(under)
    parallel_rows(len(out), _ROWS, lambda top, bottom: _composite_band(over, under, top, bottom, out))
    return out
