"""Pens, scanners and line extractors, as random changes of clean line art.  Lines are (h, w), 255 paper, 0 ink."""

import cv2
import numpy as np

from backend.imaging.line_extraction import dodge
from backend.imaging.types import Gray, Rgb


def extract_lines(rgb: Rgb, kernel: int = 5, low: float = 0.35, high: float = 0.9) -> Gray:
    """Lines of a colored drawing (h, w, 3): how much darker each pixel is than its brightest neighbor.

    kernel: side of the neighborhood, pixels.  low, high: what becomes 0 and 255, after the values are stretched to 0..1.
    """
    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    paper = 255.0 - cv2.absdiff(gray, cv2.dilate(gray, np.ones((kernel, kernel), np.uint8))).astype(np.float32)
    paper = (paper - paper.min()) / max(float(np.ptp(paper)), 1e-6)
    return (np.clip((paper - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def extract_lines_randomly(rng: np.random.Generator, rgb: Rgb) -> Gray:
    """Extract lines by one of two methods, with a random strength and a random kernel that suits the size of the image."""
    kernel = int(rng.choice([3, 3, 5])) if rgb.shape[0] < 400 else int(rng.choice([3, 5, 5, 7]))
    # With values up to 1, edges of shade become faint lines, as on a scanned page of shaded art.
    high = rng.uniform(0.85, 1.0)
    if rng.random() < 0.5:
        return 255 - dodge(rgb, kernel, rng.uniform(0.3, 0.6), high)
    return extract_lines(rgb, kernel, rng.uniform(0.25, 0.5), high - 0.02)


def add_tremor(rng: np.random.Generator, line: Gray, reach: float) -> Gray:
    """A trembling hand: displace the lines smoothly, by about `reach` pixels at most."""
    h, w = line.shape
    coarse = rng.normal(0, 1, (2, max(4, h // 12), max(4, w // 12))).astype(np.float32)
    dx, dy = (cv2.resize(c, (w, h), interpolation=cv2.INTER_CUBIC) * reach for c in coarse)
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    return np.asarray(cv2.remap(line, xs + dx, ys + dy, cv2.INTER_LINEAR, borderValue=255), np.uint8)


def add_gaps(rng: np.random.Generator, line: Gray, count: int) -> Gray:
    """Gaps in lines: `count` small discs of paper over inked pixels."""
    out = line.copy()
    ys, xs = np.nonzero(line < 128)
    if len(ys) == 0:
        return out
    for k in rng.integers(0, len(ys), count):
        radius = int(rng.integers(1, max(2, line.shape[0] // 90)))
        cv2.circle(out, (int(xs[k]), int(ys[k])), radius, 255, -1, cv2.LINE_AA)
    return out


def vary_pressure(rng: np.random.Generator, line: Gray) -> Gray:
    """Uneven pressure: the strength of the lines varies slowly over the page."""
    h, w = line.shape
    field = cv2.resize(rng.uniform(0.45, 1.0, (5, 5)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
    return np.clip(255 - (255 - line.astype(np.float32)) * np.clip(field, 0.3, 1), 0, 255).astype(np.uint8)


def add_paper_grain(rng: np.random.Generator, line: Gray) -> Gray:
    """A scanned sheet: grain, uneven brightness and soft edges."""
    h, w = line.shape
    x = cv2.GaussianBlur(line.astype(np.float32), (0, 0), rng.uniform(0.3, 0.8))
    x -= cv2.resize(rng.uniform(0, 14, (4, 4)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
    return np.clip(x + rng.normal(0, rng.uniform(1, 5), (h, w)), 0, 255).astype(np.uint8)


def apply_random_pen(rng: np.random.Generator, line: Gray) -> Gray:
    """Draw the lines with a random pen; about half of all drawings stay clean."""
    out = line
    if rng.random() < 0.18:
        out = np.asarray(cv2.erode(out, np.ones((2, 2), np.uint8)), np.uint8)
    if rng.random() < 0.15:
        out = add_tremor(rng, out, rng.uniform(0.3, 0.9) * line.shape[0] / 256)
    if rng.random() < 0.18:
        out = add_gaps(rng, out, int(rng.integers(4, 40)))
    kind = rng.random()
    if kind < 0.12:
        out = vary_pressure(rng, out)
    elif kind < 0.27:
        # A gray or colored pencil, in grayscale.
        out = np.clip(255 - (255 - out.astype(np.float32)) * rng.uniform(0.35, 0.9), 0, 255).astype(np.uint8)
    elif kind < 0.36:
        out = np.where(out > rng.uniform(110, 190), 255, 0).astype(np.uint8)
    if rng.random() < 0.08:
        out = add_paper_grain(rng, out)
    return strengthen_faint_ink(out)


def strengthen_faint_ink(line: Gray, darkest: float = 140.0) -> Gray:
    """Strengthen ink that is lighter than `darkest`; nobody draws over lines so faint.  Sheets without ink stay."""
    low = float(np.percentile(line, 1))
    if low <= darkest or low >= 254:
        return line
    return np.clip(255 - (255 - line.astype(np.float32)) * ((255 - darkest) / (255 - low)), 0, 255).astype(np.uint8)
