"""What a coloring has to beat."""

import cv2
import numpy as np

from backend.evaluation.pairs import Pair
from backend.imaging.types import Gray, Rgb


def white(pair: Pair) -> Rgb:
    """Nothing colored at all."""
    return np.full(pair.color.shape, 255, np.uint8)


def mean_color(pair: Pair, reference_mask: Gray) -> Rgb:
    """Figure and background each in the mean color of the reference's figure and background."""
    result = white(pair)
    for here, there in ((pair.mask > 127, reference_mask > 127), (pair.mask <= 127, reference_mask <= 127)):
        if there.any():
            result[here] = np.rint(pair.reference[there].mean(0)).astype(np.uint8)
    return result


def same_position(pair: Pair) -> Rgb:
    """The reference laid on top, stretched to the drawing's size."""
    height, width = pair.line.shape
    return cv2.resize(pair.reference, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
