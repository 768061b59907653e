"""Baselines: plain methods that a model must beat."""

import cv2
import numpy as np

from backend.evaluation.pairs import Pair
from backend.imaging.types import Gray, Rgb


def white(pair: Pair) -> Rgb:
    """Nothing colored at all."""
    return np.full(pair.color.shape, 255, np.uint8)


def mean_color(pair: Pair, reference_mask: Gray) -> Rgb:
    """Foreground and background, each in the mean color of the same part of the reference."""
    result = white(pair)
    for part, reference_part in ((pair.mask > 127, reference_mask > 127), (pair.mask <= 127, reference_mask <= 127)):
        if reference_part.any():
            result[part] = np.rint(pair.reference[reference_part].mean(0)).astype(np.uint8)
    return result


def same_position(pair: Pair) -> Rgb:
    """The reference itself, stretched to the size of the drawing."""
    height, width = pair.line.shape
    return cv2.resize(pair.reference, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
