"""Color error outside the lines, of the foreground and of the background."""

from dataclasses import dataclass

import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab

from backend.imaging.types import Bools, Floats, Gray, Rgb

LINE_THRESHOLD = 200
"""A pixel of the line drawing under this value is a line."""
CLOSE, NEAR = 10.0, 20.0
"""Under CLOSE (CIEDE2000) two colors look the same at a glance; from NEAR on nobody confuses them."""


@dataclass(frozen=True)
class ColorScore:
    """Error over some pixels; all nan when there are none."""

    mean: float
    """Mean CIEDE2000."""
    close: float
    """Share of the pixels under CLOSE."""
    near: float
    """Share of the pixels under NEAR."""


@dataclass(frozen=True)
class ColorScores:
    """Errors outside the lines."""

    whole: ColorScore
    """Of the whole image."""
    foreground: ColorScore
    """Inside the mask; unknown when there is none."""
    background: ColorScore
    """Outside the mask; unknown when there is none."""


UNKNOWN_SCORE = ColorScore(float("nan"), float("nan"), float("nan"))


def counted_pixels(line: Gray, mask: Gray) -> Bools:
    """(h, w) bool: pixels inside the mask (255 = foreground) and outside the lines (dark on white)."""
    return (mask > 127) & (line >= LINE_THRESHOLD)


def color_difference(result: Rgb, truth: Rgb) -> Floats:
    """CIEDE2000 of each pixel; (n, 3) or (h, w, 3) uint8 both."""
    return np.asarray(deltaE_ciede2000(rgb2lab(result), rgb2lab(truth)), np.float32)


def _score(difference: Floats) -> ColorScore:
    if not difference.size:
        return UNKNOWN_SCORE
    return ColorScore(float(difference.mean()), float((difference < CLOSE).mean()), float((difference < NEAR).mean()))


def score(result: Rgb, truth: Rgb, line: Gray, mask: Gray) -> ColorScore:
    """Error of a result (h, w, 3) in the foreground outside the lines; nan when there is no such pixel."""
    counts = counted_pixels(line, mask)
    return _score(color_difference(result[counts], truth[counts])) if counts.any() else UNKNOWN_SCORE


def color_scores(result: Rgb, truth: Rgb, line: Gray, mask: Gray, split: bool) -> ColorScores:
    """All errors of a result (h, w, 3).  split: the mask (h, w) tells foreground from background."""
    free = line >= LINE_THRESHOLD
    if not free.any():
        return ColorScores(UNKNOWN_SCORE, UNKNOWN_SCORE, UNKNOWN_SCORE)
    difference = color_difference(result[free], truth[free])
    if not split:
        return ColorScores(_score(difference), UNKNOWN_SCORE, UNKNOWN_SCORE)
    inside = mask[free] > 127
    return ColorScores(_score(difference), _score(difference[inside]), _score(difference[~inside]))


def intersection_over_union(guess: Gray, mask: Gray) -> float:
    """How well two masks (h, w; 255 = foreground) agree, 0..1; two empty ones agree."""
    a, b = guess > 127, mask > 127
    union = int((a | b).sum())
    return float((a & b).sum()) / union if union else 1.0
