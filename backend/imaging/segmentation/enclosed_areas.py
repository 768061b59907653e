"""Finds enclosed areas of a drawing's background, also behind outlines that are broken or faint."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from backend.imaging.segmentation.regions import segment
from backend.imaging.types import Bools, Floats, Gray, Labels

NOISE_INK = 4
"""Ink up to this is dirt."""
INK_GAIN = 8
"""The rest is made this much stronger, so that the faintest outline is a full line."""
CROP_BAND = 4
"""How many of the outermost rows of ink (or columns) may hold a crop edge."""
CROP_WIDTH = 0.12
"""A crop edge is wider than this share of the image."""
CROP_COVER = 0.75
"""A crop edge has ink over more than this share of its width."""
CROP_INK = 20
"""Ink above this counts for a crop edge."""


@dataclass(frozen=True)
class EnclosedAreas:
    """A drawing segmented with every line at full strength and wide gaps closed."""

    labels: Labels
    """(h, w), 0..count-1."""
    count: int
    """Number of regions."""
    is_enclosed: Bools
    """(count,), the region lies in an enclosed area of the background."""
    radius: Floats
    """(count,), of the largest disc in the region's enclosed area, as a fraction of the image's shorter side; 0 elsewhere."""


def find_enclosed_areas(ink: Gray, background: Bools, gap: float) -> EnclosedAreas:
    """The enclosed areas of the background (h, w) of a drawing (h, w; 255 = line); gap as in ``segment``.

    Areas that only a line divides, as the folds of a skirt, have the radius of all of them together.
    """
    segmentation = segment(add_crop_edges(full_strength(ink)), gap)
    labels, count = segmentation.labels, segmentation.count
    flat = labels.ravel()
    pixels = np.maximum(np.bincount(flat, minlength=count), 1)
    is_enclosed = np.bincount(flat, weights=background.ravel(), minlength=count) > 0.5 * pixels
    is_enclosed[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = False
    # Distances are measured in connected areas, not in regions: a line that divides an area does not make it smaller.
    enclosed = is_enclosed[labels].astype(np.uint8)
    components: Any = cv2.connectedComponents(enclosed, connectivity=4)
    component_count, component = components
    distance: Any = cv2.distanceTransform(np.pad(enclosed, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    largest = np.zeros(component_count, np.float32)
    np.maximum.at(largest, component.ravel(), distance.ravel())
    component_of_region = np.zeros(count, np.int64)
    component_of_region[flat] = component.ravel()
    return EnclosedAreas(labels, count, is_enclosed, largest[component_of_region] / min(ink.shape))


def full_strength(ink: Gray) -> Gray:
    """Ink (h, w) with faint lines made strong."""
    return np.clip((ink.astype(np.int32) - NOISE_INK) * INK_GAIN, 0, 255).astype(np.uint8)


def add_crop_edges(ink: Gray) -> Gray:
    """Ink (h, w) with the straight edges at which a character was cropped drawn as lines.

    Exported characters end at the edge of their first canvas; where light clothes met that edge its line is broken.
    """
    out = ink.copy()
    for quarter_turns in range(4):
        view = np.rot90(out, quarter_turns)  # a view: its bottom is each of the four edges in turn
        rows = np.flatnonzero((view > CROP_INK).any(1))
        # Ink up to the image's very edge needs no line there.
        if not len(rows) or rows[-1] == view.shape[0] - 1:
            continue
        last = rows[-1]
        band = (view[max(last - CROP_BAND + 1, 0) : last + 1] > CROP_INK).any(0)
        columns = np.flatnonzero(band)
        width = columns[-1] - columns[0]
        if width > CROP_WIDTH * view.shape[1] and len(columns) > CROP_COVER * width:
            view[max(last - 1, 0) : last + 1, columns[0] : columns[-1] + 1] = 255
    return out
