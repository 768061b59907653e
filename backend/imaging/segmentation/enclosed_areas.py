"""Pockets of a drawing's ground: what a broken or faint outline would close off if it were whole."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from backend.imaging.segmentation.regions import segment
from backend.imaging.types import Bools, Floats, Gray, Labels

NOISE, STRENGTH = 4, 8
"""Ink up to the first is dirt; the rest is made this much stronger, so that the faintest outline is a full line."""
CUT_BAND, CUT_WIDTH, CUT_COVER, CUT_INK = 4, 0.12, 0.75, 20
"""A cut-off: the outermost rows of ink, at least so wide (of the picture) and so full of ink of this strength."""


@dataclass(frozen=True)
class EnclosedAreas:
    """A drawing cut with every line at full strength and wide gaps closed.

    labels: (h, w), 0..count-1.  inside: (count,), the region is a pocket of the ground.  radius: (count,), of the largest disc
    in the region's pocket, as a fraction of the picture's shorter side; 0 for a region that is not in one.
    """

    labels: Labels
    count: int
    is_enclosed: Bools
    radius: Floats


def find_enclosed_areas(ink: Gray, background: Bools, gap: float) -> EnclosedAreas:
    """The pockets of the ground (h, w) of a drawing (h, w; 255 = line); gap as in ``segment``.

    Pockets that only a line divides, as the folds of a skirt, have the radius of all of them together.
    """
    cut = segment(add_crop_edges(full_strength(ink)), gap)
    flat = cut.labels.ravel()
    pixels = np.maximum(np.bincount(flat, minlength=cut.count), 1)
    inside = np.bincount(flat, weights=background.ravel(), minlength=cut.count) > 0.5 * pixels
    labels = cut.labels
    inside[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = False
    area = inside[labels].astype(np.uint8)
    found: Any = cv2.connectedComponents(area, connectivity=4)
    parts, part = found
    distance: Any = cv2.distanceTransform(np.pad(area, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    largest = np.zeros(parts, np.float32)
    np.maximum.at(largest, part.ravel(), distance.ravel())
    own = np.zeros(cut.count, np.int64)
    own[flat] = part.ravel()
    return EnclosedAreas(labels, cut.count, inside, largest[own] / min(ink.shape))


def full_strength(ink: Gray) -> Gray:
    """Ink (h, w) with faint lines made strong."""
    return np.clip((ink.astype(np.int32) - NOISE) * STRENGTH, 0, 255).astype(np.uint8)


def add_crop_edges(ink: Gray) -> Gray:
    """Ink (h, w) with the straight edges at which a figure was cut off drawn as lines.

    Exported figures end at the edge of their first canvas; where light clothes met that edge its line is broken.
    """
    out = ink.copy()
    for turns in range(4):
        view = np.rot90(out, turns)
        rows = np.flatnonzero((view > CUT_INK).any(1))
        if not len(rows) or rows[-1] == view.shape[0] - 1:
            continue
        last = rows[-1]
        band = (view[max(last - CUT_BAND + 1, 0) : last + 1] > CUT_INK).any(0)
        columns = np.flatnonzero(band)
        width = columns[-1] - columns[0]
        if width > CUT_WIDTH * view.shape[1] and len(columns) > CUT_COVER * width:
            view[max(last - 1, 0) : last + 1, columns[0] : columns[-1] + 1] = 255
    return out
