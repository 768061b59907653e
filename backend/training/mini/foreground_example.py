"""One image for the foreground network, changed in ways that leave the foreground where it is known to be."""

from typing import NamedTuple

import cv2
import numpy as np

from backend.imaging.types import Bools, Floats
from backend.training.mini.augment import (
    apply_affine,
    apply_color_matrix,
    random_affine,
    random_color_matrix,
    rescale_affine,
)
from backend.training.mini.shard_dataset import ExampleArrays

MOVE_SHARE = 0.6
"""Share of the images that are rotated, scaled and shifted."""
WIPE_SHARE = 0.3
"""Share of the drawings whose background is wiped: most line art that painters color is a character on empty paper."""
CUT_SHARE = 0.3
"""Share of the moved drawings with a line along the edge that cuts the foreground off, as exported sprites have."""
FADE_SHARE = 0.4
"""Share of the drawings whose lines fade here and there."""
BREAK_SHARE = 0.3
"""Share of the drawings with gaps in their lines."""
NATURAL_SHARE = 0.5
"""Share of the references that keep their colors."""
MARGIN = 3
"""Pixels around the mask that are kept when the background is wiped: the outer half of the outline."""


class ForegroundExample(NamedTuple):
    """The network's inputs and the true mask, all 0..1."""

    lines: np.ndarray
    """(1, s, s), 1 = line."""
    rgb: np.ndarray
    """(3, s/2, s/2), black for a drawing."""
    mask: np.ndarray
    """(1, s, s), 1 = foreground."""


def make_drawing_example(example: ExampleArrays, rng: np.random.Generator) -> ForegroundExample:
    """A bare line drawing, from ``ink`` and ``mask`` of a preprocessed example."""
    ink, mask = np.asarray(example["ink"]), np.asarray(example["mask"])
    side = ink.shape[0]
    if rng.random() < WIPE_SHARE:
        ink = wipe_background(ink, mask)
    if rng.random() < MOVE_SHARE:
        if rng.random() < CUT_SHARE:
            ink = np.maximum(ink, np.where(_border(side), mask, 0)).astype(np.uint8)
        matrix = random_affine(rng, side)
        ink, mask = (apply_affine(image, matrix, 0, False) for image in (ink, mask))
    if rng.random() < BREAK_SHARE:
        ink = break_lines(ink, rng)
    lines = ink.astype(np.float32) / 255
    if rng.random() < FADE_SHARE:
        lines = lines * random_pen_strength(side, rng)
    # Random gamma and gain: pencils and scans have other grays than clean ink.
    lines = np.minimum(lines ** np.exp(rng.uniform(np.log(0.4), np.log(1.6))) * np.exp(rng.uniform(-0.4, 0.4)), 1)
    blank = np.zeros((side // 2, side // 2, 3), np.float32)
    return _mirror_randomly(lines, blank, mask.astype(np.float32) / 255, rng)


def make_reference_example(example: ExampleArrays, rng: np.random.Generator) -> ForegroundExample:
    """A colored image, from ``reflines``, ``refsmall`` and ``refmask`` of a preprocessed example."""
    lines, rgb, mask = (np.asarray(example[key]) for key in ("reflines", "refsmall", "refmask"))
    side = lines.shape[0]
    if rng.random() < MOVE_SHARE:
        matrix = random_affine(rng, side)
        small_matrix = rescale_affine(matrix, side, rgb.shape[0])
        lines, mask = apply_affine(lines, matrix, 0, False), apply_affine(mask, matrix, 0, False)
        rgb = apply_affine(rgb, small_matrix, 255, False)
    colors = apply_color_matrix(random_color_matrix(rng, NATURAL_SHARE), rgb)
    strength = np.float32(rng.uniform(0.5, 1.5)) / 255
    return _mirror_randomly(np.minimum(lines * strength, 1), colors, mask.astype(np.float32) / 255, rng)


def wipe_background(ink: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The drawing (s, s) with an empty background; mask (s, s), 255 = foreground."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * MARGIN + 1, 2 * MARGIN + 1))
    return np.where(cv2.dilate(mask, disc) > 127, ink, 0).astype(np.uint8)


def break_lines(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The drawing (s, s) with 4 to 16 small squares erased, which leaves gaps in its lines."""
    ink = ink.copy()
    for _ in range(int(rng.integers(4, 17))):
        x, y = rng.integers(0, ink.shape[0], 2)
        width = int(rng.integers(3, 10))
        ink[y : y + width, x : x + width] = 0
    return ink


def random_pen_strength(side: int, rng: np.random.Generator) -> Floats:
    """(side, side) 0.1..1: a factor for the ink that changes smoothly over the image; light clothes have faint lines."""
    coarse = rng.uniform(0.1, 1.6, (4, 4)).astype(np.float32)
    return np.clip(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), 0.1, 1).astype(np.float32)


def _border(side: int) -> Bools:
    """(side, side) True in the two outermost rows and columns."""
    border = np.ones((side, side), np.bool_)
    border[2:-2, 2:-2] = False
    return border


def _mirror_randomly(lines: np.ndarray, rgb: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> ForegroundExample:
    """Mirror half of the images, and put channels first."""
    if rng.random() < 0.5:
        lines, rgb, mask = lines[:, ::-1], rgb[:, ::-1], mask[:, ::-1]
    return ForegroundExample(lines[None], rgb.transpose(2, 0, 1), mask[None])
