"""Renders layers at canvas size: crisp regions, soft colors, the foreground's alpha, and the composite, in bands of rows."""

from typing import Any

import cv2
import numba
import numpy as np

from backend.imaging.parallel_rows import parallel_rows
from backend.imaging.region_fill import RegionColors
from backend.imaging.types import Bools, Gray, Regions, Rgba

_BAND_ROWS = 64
MIN_LINE_INK = 16
"""Ink from which a pixel belongs to the line under which the foreground's alpha may be extended."""
MAX_EXTENSION = 0.012
"""How far the alpha may be extended under a line, as a fraction of the shorter side: half the width of a bold line."""


@numba.njit(cache=True, nogil=True, inline="always")
def _bilinear(image: Any, y0: Any, x0: Any, fy: Any, fx: Any, c: Any) -> Any:
    above = image[y0, x0, c] * (1 - fx) + image[y0, x0 + 1, c] * fx
    below = image[y0 + 1, x0, c] * (1 - fx) + image[y0 + 1, x0 + 1, c] * fx
    return above * (1 - fy) + below * fy


@numba.njit(cache=True, nogil=True)
def _bilinear_in_region(image: Any, labels: Any, label: Any, y0: Any, x0: Any, fy: Any, fx: Any, out: Any) -> Any:
    """Bilinear color over the cells that carry ``label``; the nearest such cell within two when none of the four does.

    Gives back whether there is any such cell.
    """
    total = np.float32(0)
    out[:] = 0
    for i in range(2):
        wy = fy if i else 1 - fy
        for j in range(2):
            if labels[y0 + i, x0 + j] == label:
                # Never 0, so that a pixel exactly on the center of another region's cell still counts its own cells.
                w = max(wy * (fx if j else 1 - fx), np.float32(1e-6))
                total += w
                for c in range(3):
                    out[c] += w * image[y0 + i, x0 + j, c]
    if total > 0:
        for c in range(3):
            out[c] /= total
        return True
    # Borders at canvas size lie up to two cells from those at working size, so the region may begin beyond the four cells.
    nearest = np.float32(1e9)
    for yy in range(max(0, y0 - 2), min(labels.shape[0], y0 + 4)):
        for xx in range(max(0, x0 - 2), min(labels.shape[1], x0 + 4)):
            if labels[yy, xx] == label:
                distance = (yy - y0 - fy) ** 2 + (xx - x0 - fx) ** 2
                if distance < nearest:
                    nearest = distance
                    for c in range(3):
                        out[c] = image[yy, xx, c]
    return nearest < 1e9


@numba.njit(cache=True, nogil=True)
def _render_band(
    canvas_labels: Any,
    labels: Any,
    layer: Any,
    image: Any,
    fill: Any,
    foreground: Any,
    ink: Any,
    top: Any,
    bottom: Any,
    out: Any,
) -> None:
    """The colors of one layer: ``image`` where the region belongs to that ``layer``, ``fill`` elsewhere."""
    h, w = labels.shape
    height, width = canvas_labels.shape
    color, other_color, total = np.empty(3, np.float32), np.empty(3, np.float32), np.empty(3, np.float32)
    for y in range(top, bottom):
        # Centers of pixels in coordinates of the cells' centers; clamped, so that the outermost half cell repeats the edge.
        v = min(max((y + 0.5) * h / height - 0.5, 0.0), h - 1.0)
        y0 = min(int(v), h - 2)
        fy = np.float32(v - y0)
        for x in range(width):
            u = min(max((x + 0.5) * w / width - 0.5, 0.0), w - 1.0)
            x0 = min(int(u), w - 2)
            fx = np.float32(u - x0)
            label = canvas_labels[y, x]
            border = False
            if ink[y, x] < 255:  # a full line hides the border, however hard it is
                up, down, left, right = max(y - 1, 0), min(y + 1, height - 1), max(x - 1, 0), min(x + 1, width - 1)
                border = (
                    canvas_labels[up, x] != label
                    or canvas_labels[down, x] != label
                    or canvas_labels[y, left] != label
                    or canvas_labels[y, right] != label
                )
            uniform = (
                labels[y0, x0] == label
                and labels[y0, x0 + 1] == label
                and labels[y0 + 1, x0] == label
                and labels[y0 + 1, x0 + 1] == label
            )
            # Only cells of the pixel's own region count, or colors would bleed over a border of the canvas by a whole cell.
            if foreground[label] != layer:
                for c in range(3):
                    color[c] = _bilinear(fill, y0, x0, fy, fx, c)
            elif uniform or not _bilinear_in_region(image, labels, label, y0, x0, fy, fx, color):
                for c in range(3):
                    color[c] = _bilinear(image, y0, x0, fy, fx, c)
            # Where no line covers a border, a 3 x 3 binomial filter over the regions' colors softens its steps.
            if border and foreground[label] == layer:
                weight = np.float32(4)
                for c in range(3):
                    total[c] = 4 * color[c]
                for i in range(-1, 2):
                    yy = min(max(y + i, 0), height - 1)
                    for j in range(-1, 2):
                        xx = min(max(x + j, 0), width - 1)
                        other = canvas_labels[yy, xx]
                        k = np.float32((2 - abs(i)) * (2 - abs(j)))
                        # The center (weight 4) is counted already.
                        if k < 4 and foreground[other] == layer:
                            if other == label:
                                other_color[:] = color
                            elif not _bilinear_in_region(image, labels, other, y0, x0, fy, fx, other_color):
                                continue
                            weight += k
                            for c in range(3):
                                total[c] += k * other_color[c]
                amount = 1 - np.float32(ink[y, x]) / 255
                for c in range(3):
                    color[c] += amount * (total[c] / weight - color[c])
            for c in range(3):
                out[y, x, c] = np.uint8(min(max(color[c] + np.float32(0.5), np.float32(0)), np.float32(255)))


def render_layer(
    canvas_labels: np.ndarray, regions: Regions, colors: RegionColors, ink: Gray, foreground: bool, out: Rgba
) -> None:
    """Fills the colors of ``out`` (H, W, 4) for the foreground's layer or the background's; alpha is left as it is.

    canvas_labels: (H, W) uint16.  ink: (H, W).  Borders that no ink covers are softened over one pixel on either side.
    """
    labels = regions.labels.astype(np.uint16)
    fill = colors.foreground if foreground else colors.background
    labels, image, fill = (_at_least_two(array) for array in (labels, colors.image, fill))

    def render(top: int, bottom: int) -> None:
        _render_band(canvas_labels, labels, foreground, image, fill, regions.foreground, ink, top, bottom, out)

    parallel_rows(canvas_labels.shape[0], _BAND_ROWS, render)


def _at_least_two(array: np.ndarray) -> np.ndarray:
    """Repeats a single row or column, so that four neighbors always exist."""
    padding = [(0, int(array.shape[0] == 1)), (0, int(array.shape[1] == 1))] + [(0, 0)] * (array.ndim - 2)
    return np.ascontiguousarray(np.pad(array, padding, mode="edge"))


@numba.njit(cache=True, nogil=True)
def _extend_under_lines(alpha: Any, canvas_labels: Any, foreground: Any, ink: Any, lines: Any, steps: Any) -> None:
    height, width = alpha.shape
    h, w = lines.shape
    front = [np.int64(0)]  # numba needs an element to know the type of a list
    front.pop()
    # The search starts at the mask's edge: soft pixels, and opaque ones beside clear ones.
    for y in range(height):
        for x in range(width):
            if alpha[y, x] >= 128:
                edge = alpha[y, x] < 255
                for d in range(4):
                    # d = 0, 1, 2, 3: down, up, right, left.
                    yy, xx = y + (d == 0) - (d == 1), x + (d == 2) - (d == 3)
                    if 0 <= yy < height and 0 <= xx < width and alpha[yy, xx] < 128:
                        edge = True
                if edge:
                    front.append(y * width + x)
    # Allocated only when there is an edge to start from; the empty array tells numba the type.
    visited = np.zeros((0, 0), np.bool_)
    if len(front) > 0:
        visited = np.zeros((height, width), np.bool_)
    # It goes outwards pixel by pixel, and on only from pixels of a line.
    for step in range(steps + 1):
        next_front = [np.int64(0)]
        next_front.pop()
        for i in front:
            y, x = i // width, i % width
            near_ink = ink[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].max() >= MIN_LINE_INK
            under_line = near_ink and foreground[canvas_labels[y, x]] and lines[y * h // height, x * w // width]
            if under_line:
                alpha[y, x] = 255
            # The first pixels are the mask's own edge: they pass the search on even where they are no line.
            if not under_line and step > 0:
                continue
            for d in range(4):
                yy, xx = y + (d == 0) - (d == 1), x + (d == 2) - (d == 3)
                if 0 <= yy < height and 0 <= xx < width and alpha[yy, xx] < 255 and not visited[yy, xx]:
                    visited[yy, xx] = True
                    next_front.append(yy * width + xx)
        front = next_front


def extend_alpha_under_lines(mask: Gray, canvas_labels: np.ndarray, foreground: Bools, ink: Gray, lines: Bools) -> Gray:
    """The foreground's alpha (H, W): the mask, extended under the line that its edge touches, up to the middle of that line.

    canvas_labels: (H, W) uint16.  lines: (h, w) bool, where the drawing's lines are at working size.  Only pixels of a line,
    or right beside its ink, become opaque, if their region belongs to the foreground and they are connected to the mask's edge
    within ``MAX_EXTENSION``; everything else keeps the mask's value.
    """
    alpha = mask.copy()
    steps = int(np.ceil(MAX_EXTENSION * min(mask.shape))) + 1
    # Wider than the line mask, which leaves out the anti-aliased rims: the alpha must reach below these, too.
    wide_lines: Any = cv2.dilate(lines.astype(np.uint8), np.ones((5, 5), np.uint8))
    _extend_under_lines(alpha, canvas_labels, foreground, ink, wide_lines, steps)
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
    parallel_rows(len(out), _BAND_ROWS, lambda top, bottom: _composite_band(over, under, top, bottom, out))
    return out
