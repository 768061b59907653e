"""Reads ink from any line layer, and lines from a colored image."""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.imaging.color import on_white
from backend.imaging.types import Floats, Gray, Rgb, Rgba

MIN_LINE_INK = 48
"""Fainter ink is no line."""
MIN_INK_PIXELS = 4
"""Pixels of ink that a drawing has at least."""
OPAQUE_ALPHA, OPAQUE_SHARE = 250, 0.99
"""A layer hides what lies under it when this share of its pixels has this alpha or more."""
DODGE_FLOOR = 40
"""Gray that ``lines_from_color`` divides by at least, so that the noise of near-black areas does not become lines."""
DODGE_GAIN = 320
"""Ink of ``lines_from_color`` where gray falls to black: a fall by four fifths is a full line already."""
SOLID_CONTRAST = 0.88
"""A cell darker than this share of the paper fitted so far is a solid black, and no paper."""
_MAX_SAMPLES = 1 << 20
_MIN_LINE_DARKNESS = 0.08
_MIN_FULL_DARKNESS = 0.25
"""Darkness (0..1) of a full line at least; more than twice the noise of any paper, so ink always has a range to lie in."""


@dataclass(frozen=True)
class _Paper:
    surface: Floats
    """(6, 3) coefficients of a quadratic in x and y (``_basis``) for each channel, or (1, 3) one color for the whole page."""
    light_lines: bool
    """Whether lines are lighter than the paper."""
    noise: float
    """Darkness (0..1) that is no ink yet."""


def is_opaque_drawing(rgba: Rgba) -> bool:
    """Whether the layer hides what lies under it: at least 99 % of its pixels are opaque."""
    alpha = rgba[..., 3]
    return int(np.count_nonzero(alpha >= OPAQUE_ALPHA)) >= OPAQUE_SHARE * alpha.size


def is_empty(ink: Gray) -> bool:
    """Whether there is no line in ink (h, w): fewer than ``MIN_INK_PIXELS`` pixels of ``MIN_LINE_INK`` or more."""
    return int(np.count_nonzero(ink >= MIN_LINE_INK)) < MIN_INK_PIXELS


def ink_from_rgba(rgba: Rgba) -> Gray:
    """Ink (h, w) uint8, 0 = paper .. 255 = full line, from a line layer (h, w, 4) of any kind.

    Black, gray, colored or white lines on transparency: the opacity, times how far the color is from white when colors
    differ.  Lines on paper: how far each pixel is from the paper's color; a smooth shade of the paper (a photograph, a
    scan) is fitted and divided out.  Full strength is the drawing's own strongest line, so gray pencil gives the same ink
    as a pen; anti-aliasing stays linear in the coverage.  Light lines on dark paper work, too.
    """
    sample = _sample(rgba)
    alpha = sample[..., 3].astype(np.float32) / 255
    # More than a hundredth lets something through: lines on transparency.  Less may be a stray eraser: lines on paper.
    if float((alpha < 0.98).mean()) > 0.01:
        weight = float(alpha.sum())
        if weight == 0:
            return np.zeros(rgba.shape[:2], np.uint8)
        tone = 1 - sample[..., :3].min(-1).astype(np.float32) / 255
        light, dark = float((alpha * (tone < 0.15)).sum()) / weight, float((alpha * (tone > 0.3)).sum()) / weight
        if dark < 0.01:  # white lines: there is nothing but opacity to see them by
            return rgba[..., 3].copy()
        if light < 0.3:  # dark lines, and no white fills between them
            return _scale_ink(_darkness_on_white(rgba), _full_strength(alpha * tone))
    return _ink_on_paper(on_white(rgba), on_white(sample))


def lines_from_color(rgb: Rgb) -> Gray:
    """Lines (h, w), 255 = line, of a colored image (h, w, 3): where gray falls below its brightest neighbor.

    Gray is divided by dilated gray (a dodge), so that a dark image's lines are as strong as a bright one's.
    """
    gray = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    brightest = cv2.dilate(gray, np.ones((3, 3), np.uint8))
    floor = np.maximum(brightest, DODGE_FLOOR).astype(np.float32)
    return np.clip(DODGE_GAIN * (brightest.astype(np.float32) - gray) / floor, 0, 255).astype(np.uint8)


def _sample(rgba: Rgba) -> Rgba:
    stride = max(1, int(np.sqrt(rgba.shape[0] * rgba.shape[1] / _MAX_SAMPLES)))
    return np.ascontiguousarray(rgba[::stride, ::stride])


def _darkness_on_white(rgba: Rgba) -> Gray:
    return 255 - on_white(rgba).min(-1)


def _full_strength(darkness: NDArray[np.floating]) -> float:
    """The darkness (0..1) of a full line: a high percentile of everything that is not paper."""
    marks = darkness[darkness > _MIN_LINE_DARKNESS]
    return float(np.clip(np.percentile(marks, 98), _MIN_FULL_DARKNESS, 1)) if marks.size else 1.0


def _scale_ink(darkness: Gray, full: float, noise: float = 0.0) -> Gray:
    table = np.clip((np.arange(256) / 255 - noise) / (full - noise), 0, 1)
    return np.rint(255 * table).astype(np.uint8)[darkness]


def _basis(height: int, width: int) -> Floats:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = (y + 0.5) / height - 0.5, (x + 0.5) / width - 0.5
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1)


def _fit_paper(rgb: Rgb) -> _Paper:
    """The paper of a sample (h, w, 3): one dark color, or white where 30 % of the pixels are, else a fitted surface.

    The surface is a robust quadratic fit to the brightest tenth of each cell of a 24 x 24 grid; cells darker than the
    surface by 12 % (``SOLID_CONTRAST``) are left out of the next round.
    """
    # Mostly dark: light lines on dark paper.  Much pure white: a clean drawing without noise.
    light = rgb.min(-1)
    bright = float((light > 100).mean())
    if bright < 0.25 and float(np.median(rgb.max(-1))) < 100:
        return _Paper(np.median(rgb.reshape(-1, 3), 0)[None].astype(np.float32), True, 0.02)
    if float((light >= 253).mean()) > 0.3:
        return _Paper(np.full((1, 3), 255, np.float32), False, 0.0)
    height, width = rgb.shape[:2]
    rows, columns = min(24, height), min(24, width)
    ys, xs = np.linspace(0, height, rows + 1).astype(int), np.linspace(0, width, columns + 1).astype(int)
    cells = np.array(
        [[np.percentile(rgb[a:b, c:d].reshape(-1, 3), 90, axis=0) for c, d in pairwise(xs)] for a, b in pairwise(ys)],
        np.float32,
    ).reshape(-1, 3)
    basis = _basis(rows, columns).reshape(-1, 6)
    value = cells.sum(-1)
    is_paper = value >= 0.6 * np.percentile(value, 95)
    surface = np.zeros((6, 3), np.float32)
    # A ridge keeps the surface from tilting where too little paper says that it does.
    for _ in range(4):
        ridge = np.diag([0, 1, 1, 1, 1, 1]).astype(np.float32) * 1e-4 * len(basis)
        part = basis[is_paper]
        surface = np.linalg.solve(part.T @ part + ridge, part.T @ cells[is_paper]).astype(np.float32)
        is_paper = value >= SOLID_CONTRAST * (basis @ surface).sum(-1)
        if is_paper.sum() < 12:  # too few for six coefficients
            break
    return _Paper(surface, False, 0.06)


def _ink_on_paper(rgb: Rgb, sample: Rgb) -> Gray:
    paper = _fit_paper(sample)
    darkness = _difference_from_paper(sample, paper)
    marks = darkness.astype(np.float32) / 255
    return _scale_ink(_difference_from_paper(rgb, paper), _full_strength(marks), paper.noise)


def _difference_from_paper(rgb: Rgb, paper: _Paper) -> Gray:
    """How far each pixel is from the paper, 0..255 of the way to black (or to white), in the channel where that is most."""
    height, width = rgb.shape[:2]
    result = np.empty((height, width), np.uint8)
    x = (np.arange(width, dtype=np.float32) + 0.5) / width - 0.5
    # In bands: the six terms of all pixels of a large canvas would need gigabytes.
    for top in range(0, height, 256):
        band = rgb[top : top + 256].astype(np.float32)
        if len(paper.surface) == 1:
            color = paper.surface[0]
        else:
            y = ((np.arange(len(band), dtype=np.float32) + top + 0.5) / height - 0.5)[:, None]
            terms = np.broadcast_arrays(np.ones_like(y * x), x, y, x * x, x * y, y * y)
            # Where the surface extrapolates it may fall to 0 or below, and pixels are divided by it.
            color = np.clip(np.stack(terms, -1) @ paper.surface, 32, 255)
        part = (band - color) / np.maximum(255 - color, 1) if paper.light_lines else 1 - band / color
        result[top : top + 256] = np.rint(np.clip(part.max(-1), 0, 1) * 255)
    return result
