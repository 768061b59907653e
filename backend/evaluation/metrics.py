"""Colour error where a painter looks: on the figure, outside the lines."""

from dataclasses import dataclass

import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab

from backend.imaging.types import Bools, Floats, Gray, Rgb

PAPER = 200
"""A pixel of the line picture at least this light is no line."""
CLOSE = 10.0
"""Below this CIEDE2000 two colours pass for the same at a glance."""


@dataclass(frozen=True)
class Score:
    """mean: mean CIEDE2000 over the pixels that count.  close: share of them under CLOSE."""

    mean: float
    close: float


def counted_pixels(line: Gray, mask: Gray) -> Bools:
    """Where colour is judged: (h, w) bool, inside the mask (255 = figure) and off the lines (dark on white)."""
    return (mask > 127) & (line >= PAPER)


def colour_difference(result: Rgb, truth: Rgb) -> Floats:
    """CIEDE2000 of each pixel; (n, 3) or (h, w, 3) uint8 both."""
    return np.asarray(deltaE_ciede2000(rgb2lab(result), rgb2lab(truth)), np.float32)


def score(result: Rgb, truth: Rgb, line: Gray, mask: Gray) -> Score:
    """Error of a result (h, w, 3) against the true colours.  A figure without a single free pixel scores nan."""
    counts = counted_pixels(line, mask)
    if not counts.any():
        return Score(float("nan"), float("nan"))
    difference = colour_difference(result[counts], truth[counts])
    return Score(float(difference.mean()), float((difference < CLOSE).mean()))
