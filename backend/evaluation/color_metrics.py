"""Color error where a painter looks: outside the lines, on the figure and around it."""

from dataclasses import dataclass

import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab

from backend.imaging.types import Bools, Floats, Gray, Rgb

LINE_THRESHOLD = 200
"""A pixel of the line picture at least this light is no line."""
CLOSE, NEAR = 10.0, 20.0
"""Below CLOSE (CIEDE2000) two colors pass for the same at a glance, above NEAR nobody takes one for the other."""


@dataclass(frozen=True)
class ColorScore:
    """mean: mean CIEDE2000 over the pixels that count.  close, near: share of them under CLOSE and NEAR."""

    mean: float
    close: float
    near: float


@dataclass(frozen=True)
class ColorScores:
    """Errors outside the lines: of the whole picture, inside the mask and outside it (nan where there is no such side)."""

    whole: ColorScore
    foreground: ColorScore
    background: ColorScore


UNKNOWN_SCORE = ColorScore(float("nan"), float("nan"), float("nan"))


def counted_pixels(line: Gray, mask: Gray) -> Bools:
    """Where color is judged: (h, w) bool, inside the mask (255 = figure) and off the lines (dark on white)."""
    return (mask > 127) & (line >= LINE_THRESHOLD)


def color_difference(result: Rgb, truth: Rgb) -> Floats:
    """CIEDE2000 of each pixel; (n, 3) or (h, w, 3) uint8 both."""
    return np.asarray(deltaE_ciede2000(rgb2lab(result), rgb2lab(truth)), np.float32)


def _score(difference: Floats) -> ColorScore:
    if not difference.size:
        return UNKNOWN_SCORE
    return ColorScore(float(difference.mean()), float((difference < CLOSE).mean()), float((difference < NEAR).mean()))


def score(result: Rgb, truth: Rgb, line: Gray, mask: Gray) -> ColorScore:
    """Error of a result (h, w, 3) against the true colors.  A figure without a single free pixel scores nan."""
    counts = counted_pixels(line, mask)
    return _score(color_difference(result[counts], truth[counts])) if counts.any() else UNKNOWN_SCORE


def color_scores(result: Rgb, truth: Rgb, line: Gray, mask: Gray, split: bool) -> ColorScores:
    """All three errors of a result (h, w, 3); split: the mask (h, w) tells figure from ground."""
    free = line >= LINE_THRESHOLD
    if not free.any():
        return ColorScores(UNKNOWN_SCORE, UNKNOWN_SCORE, UNKNOWN_SCORE)
    difference = color_difference(result[free], truth[free])
    if not split:
        return ColorScores(_score(difference), UNKNOWN_SCORE, UNKNOWN_SCORE)
    inside = mask[free] > 127
    return ColorScores(_score(difference), _score(difference[inside]), _score(difference[~inside]))


def intersection_over_union(guess: Gray, mask: Gray) -> float:
    """How well two masks (h, w; 255 = figure) agree, 0..1; two empty ones agree."""
    a, b = guess > 127, mask > 127
    union = int((a | b).sum())
    return float((a & b).sum()) / union if union else 1.0
