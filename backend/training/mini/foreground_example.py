"""One picture for the figure-mask network, changed in ways that leave the figure where it is known to be."""

from typing import NamedTuple

import cv2
import numpy as np

from backend.imaging.types import Bools, Floats
from backend.training.mini.augment import apply_colors, at_size, color_matrix, move, random_move

MOVED = 0.6
PLAIN = 0.3
"""Share of the pictures whose ground is wiped: most line art a painter colors is a figure on empty paper."""
CUT = 0.3
"""Share of the moved drawings with a line along the edge that cuts the figure off, as exported sprites have."""
FADED = 0.4
BROKEN = 0.3
NATURAL = 0.5
MARGIN = 3
"""Pixels around the mask that are kept when the ground is wiped: the outer half of the outline."""


class Item(NamedTuple):
    """lines (1, s, s), rgb (3, s/2, s/2), mask (1, s, s), all 0..1."""

    lines: np.ndarray
    rgb: np.ndarray
    mask: np.ndarray


def drawing_item(row: dict[str, np.ndarray], rng: np.random.Generator) -> Item:
    """A bare line drawing: ``ink`` and ``mask`` of a prepared set."""
    ink, mask = np.asarray(row["ink"]), np.asarray(row["mask"])
    side = ink.shape[0]
    if rng.random() < PLAIN:
        ink = wiped(ink, mask)
    if rng.random() < MOVED:
        if rng.random() < CUT:
            ink = np.maximum(ink, np.where(_rim(side), mask, 0)).astype(np.uint8)
        matrix = random_move(rng, side)
        ink, mask = (move(picture, matrix, 0, False) for picture in (ink, mask))
    if rng.random() < BROKEN:
        ink = broken(ink, rng)
    lines = ink.astype(np.float32) / 255
    if rng.random() < FADED:
        lines = lines * faded(side, rng)
    lines = np.minimum(lines ** np.exp(rng.uniform(np.log(0.4), np.log(1.6))) * np.exp(rng.uniform(-0.4, 0.4)), 1)
    blank = np.zeros((side // 2, side // 2, 3), np.float32)
    return _mirrored(lines, blank, mask.astype(np.float32) / 255, rng)


def reference_item(row: dict[str, np.ndarray], rng: np.random.Generator) -> Item:
    """A colored picture: ``reflines``, ``refsmall`` and ``refmask`` of a prepared set."""
    lines, rgb, mask = (np.asarray(row[key]) for key in ("reflines", "refsmall", "refmask"))
    side = lines.shape[0]
    if rng.random() < MOVED:
        matrix = random_move(rng, side)
        small = at_size(matrix, side, rgb.shape[0])
        lines, mask, rgb = move(lines, matrix, 0, False), move(mask, matrix, 0, False), move(rgb, small, 255, False)
    shown = apply_colors(color_matrix(rng, NATURAL), rgb)
    strength = np.float32(rng.uniform(0.5, 1.5)) / 255
    return _mirrored(np.minimum(lines * strength, 1), shown, mask.astype(np.float32) / 255, rng)


def wiped(ink: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The drawing (s, s) with nothing on its ground; mask (s, s), 255 = figure."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * MARGIN + 1, 2 * MARGIN + 1))
    return np.where(cv2.dilate(mask, disc) > 127, ink, 0).astype(np.uint8)


def broken(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The drawing (s, s) with 4 to 16 small squares rubbed out: gaps in its lines."""
    ink = ink.copy()
    for _ in range(int(rng.integers(4, 17))):
        x, y = rng.integers(0, ink.shape[0], 2)
        width = int(rng.integers(3, 10))
        ink[y : y + width, x : x + width] = 0
    return ink


def faded(side: int, rng: np.random.Generator) -> Floats:
    """(side, side) 0.1..1: how strong the pen is, changing smoothly over the picture; light clothes have faint lines."""
    coarse = rng.uniform(0.1, 1.6, (4, 4)).astype(np.float32)
    return np.clip(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), 0.1, 1).astype(np.float32)


def _rim(side: int) -> Bools:
    rim = np.ones((side, side), np.bool_)
    rim[2:-2, 2:-2] = False
    return rim


def _mirrored(lines: np.ndarray, rgb: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> Item:
    if rng.random() < 0.5:
        lines, rgb, mask = lines[:, ::-1], rgb[:, ::-1], mask[:, ::-1]
    return Item(lines[None], rgb.transpose(2, 0, 1), mask[None])
