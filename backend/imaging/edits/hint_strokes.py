"""Finds the strokes in a layer of painted hints, and the exact color of each."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from backend.imaging.types import Rgb, Rgba

COLOR_TOLERANCE = 16
"""Colors whose channels all differ by no more are one color: a soft brush is rounded differently from pixel to pixel."""
MAX_PIXELS = 1 << 22
"""Painted pixels that are read.  Of more, as when a whole image is given as hints, only every second row and column, or so."""
MIN_COLOR_SHARE = 0.1
"""Share of the paint in a connected area that a second color needs to be a stroke of its own and no blend at the edges."""


@dataclass(frozen=True)
class HintStrokes:
    """n painted pixels of k strokes."""

    rows: np.ndarray
    """(n,) in the hints' own size."""
    columns: np.ndarray
    """(n,) in the hints' own size."""
    weight: np.ndarray
    """(n,) opacity 1..255."""
    stroke: np.ndarray
    """(n,) 0..k-1, the stroke that the pixel belongs to."""
    colors: Rgb
    """(k, 3) uint8, the most frequent color of each stroke, exactly as it was painted."""


def find_hint_strokes(hints: Rgba) -> HintStrokes:
    """The strokes in (H, W, 4): connected paint (alpha above 0) of one color.

    Where strokes of different colors touch, each pixel belongs to the one whose color is nearest.
    """
    painted: Any = (hints[..., 3] > 0).astype(np.uint8)
    # Areas are connected at full size: with rows and columns left out, thin strokes would fall apart.
    components: Any = cv2.connectedComponents(painted, connectivity=8)
    step = 1 + int((np.count_nonzero(painted) / MAX_PIXELS) ** 0.5)
    rows, columns = (step * index for index in np.nonzero(painted[::step, ::step]))
    areas = components[1][rows, columns].astype(np.int64) - 1
    pixels = hints[rows, columns].astype(np.int64)
    codes, weight = pixels[:, 0] << 16 | pixels[:, 1] << 8 | pixels[:, 2], pixels[:, 3]
    # A paint is one color in one connected area: far fewer than there are pixels.
    paints, paint = np.unique(areas << 24 | codes, return_inverse=True)
    amounts = np.bincount(paint, weight)
    stroke_of_paint, colors = _strokes_of_paints(paints >> 24, paints & 0xFFFFFF, amounts)
    return HintStrokes(rows, columns, weight, stroke_of_paint[paint], _rgb_from_codes(colors))


def _strokes_of_paints(areas: np.ndarray, codes: np.ndarray, amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the stroke of each paint, and (k,) the color code of each stroke.

    areas, codes, amounts: (n,) for each paint its connected area (ascending), its color code and how much there is of it.
    """
    strokes = np.zeros(len(areas), np.int64)
    colors: list[int] = []
    starts = np.flatnonzero(np.diff(areas, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(areas)], strict=True):
        local = codes[start:end]
        minimum = MIN_COLOR_SHARE * float(amounts[start:end].sum())
        distinct = distinct_colors(_rgb_from_codes(local), amounts[start:end], minimum)
        strokes[start:end] = len(colors) + nearest_color(_rgb_from_codes(local), _rgb_from_codes(local[distinct]))
        colors += local[distinct].tolist()
    return strokes, np.array(colors, np.int64)


def distinct_colors(colors: Rgb, amounts: np.ndarray, minimum: float) -> list[int]:
    """Indices of the colors (n, 3) that are not ``COLOR_TOLERANCE`` close to a more frequent one.

    The most frequent color first, of equally frequent ones the first.  All but that one need an amount (n,) of ``minimum``.
    """
    distinct: list[int] = []
    for k in np.argsort(-amounts, kind="stable").tolist():
        if distinct and amounts[k] < minimum:
            break
        # int16, because differences of uint8 wrap around.  The first color has nothing to be close to and is always taken.
        distance = np.abs(colors[distinct].astype(np.int16) - colors[k].astype(np.int16)).max(-1)
        if (distance > COLOR_TOLERANCE).all():
            distinct.append(k)
    return distinct


def nearest_color(colors: Rgb, palette: Rgb) -> np.ndarray:
    """(n,) index into the palette (k, 3) of the color that is nearest to each of (n, 3) in sRGB, the first of equals."""
    best, best_distance = np.zeros(len(colors), np.int64), np.full(len(colors), 3 * 256)
    # One palette color after the other: all at once would need n x k x 3 numbers, and n may be millions.
    for k, color in enumerate(palette.astype(np.int16)):
        distance = np.abs(colors.astype(np.int16) - color).sum(-1)
        best[distance < best_distance] = k
        best_distance = np.minimum(best_distance, distance)
    return best


def _rgb_from_codes(codes: np.ndarray) -> Rgb:
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], -1).astype(np.uint8)
