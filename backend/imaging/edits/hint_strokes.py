"""A layer of painted color spots: which spots there are, and each one's color, exactly as it was painted."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from backend.imaging.types import Rgb, Rgba

ALIKE = 16
"""Colors whose channels all differ by no more are one color: a soft brush is rounded differently from pixel to pixel."""
MOST = 1 << 22
"""Painted pixels looked at; of more, as when a whole picture is given for hints, only every second row and column, or so."""
OWN_SHARE = 0.1
"""Share of the paint in a connected blot that a second color needs to be a spot of its own and no blend at the edges."""


@dataclass(frozen=True)
class HintStrokes:
    """Painted pixels, each with the spot it belongs to.

    rows, columns: (n,) pixels in the hints' own size.  weight: (n,) opacity 1..255.  spot: (n,) 0..k-1.  colors: (k, 3)
    uint8, the most frequent color of each spot.
    """

    rows: np.ndarray
    columns: np.ndarray
    weight: np.ndarray
    stroke: np.ndarray
    colors: Rgb


def find_hint_strokes(hints: Rgba) -> HintStrokes:
    """The spots in (H, W, 4): connected paint (alpha above 0) of one color.

    Where strokes of different colors touch, each pixel belongs to the one whose color is nearest.
    """
    painted: Any = (hints[..., 3] > 0).astype(np.uint8)
    found: Any = cv2.connectedComponents(painted, connectivity=8)
    step = 1 + int((np.count_nonzero(painted) / MOST) ** 0.5)
    rows, columns = (step * at for at in np.nonzero(painted[::step, ::step]))
    blots = found[1][rows, columns].astype(np.int64) - 1
    pixels = hints[rows, columns].astype(np.int64)
    codes, weight = pixels[:, 0] << 16 | pixels[:, 1] << 8 | pixels[:, 2], pixels[:, 3]
    kinds, kind = np.unique(blots << 24 | codes, return_inverse=True)
    amounts = np.bincount(kind, weight)
    blot_of, color_of = kinds >> 24, kinds & 0xFFFFFF
    spot_of, colors = _palettes(blot_of, color_of, amounts)
    return HintStrokes(rows, columns, weight, spot_of[kind], _rgb(colors))


def _palettes(blot_of: np.ndarray, color_of: np.ndarray, amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each kind of paint (a color in a blot) its spot, and the color code of each spot."""
    spot_of = np.zeros(len(blot_of), np.int64)
    colors: list[int] = []
    starts = np.flatnonzero(np.diff(blot_of, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(blot_of)], strict=True):
        codes = color_of[start:end]
        chosen = distinct_colors(_rgb(codes), amounts[start:end], OWN_SHARE * float(amounts[start:end].sum()))
        spot_of[start:end] = len(colors) + nearest_color(_rgb(codes), _rgb(codes[chosen]))
        colors += codes[chosen].tolist()
    return spot_of, np.array(colors, np.int64)


def distinct_colors(colors: Rgb, amounts: np.ndarray, least: float) -> list[int]:
    """Which of the colors (n, 3) are colors of their own: the most frequent, and every one of at least that amount unlike it.

    From the most frequent to the rarest; of equally frequent ones the first.
    """
    chosen: list[int] = []
    for k in np.argsort(-amounts, kind="stable").tolist():
        if chosen and amounts[k] < least:
            break
        apart = np.abs(colors[chosen].astype(np.int16) - colors[k].astype(np.int16)).max(-1)
        if (apart > ALIKE).all():
            chosen.append(k)
    return chosen


def nearest_color(colors: Rgb, palette: Rgb) -> np.ndarray:
    """(n,) for each color (n, 3) the number of the one of (k, 3) that is nearest in sRGB, the first of equals."""
    best, least = np.zeros(len(colors), np.int64), np.full(len(colors), 3 * 256)
    for k, color in enumerate(palette.astype(np.int16)):
        distance = np.abs(colors.astype(np.int16) - color).sum(-1)
        best[distance < least] = k
        least = np.minimum(least, distance)
    return best


def _rgb(codes: np.ndarray) -> Rgb:
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], -1).astype(np.uint8)
