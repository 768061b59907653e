"""A box that a guess should find, and its outline."""

import cv2
import numpy as np

BOX = (60, 50, 200, 230)
"""left, top, right, bottom of the foreground; a smaller box stands inside it."""


def truth() -> np.ndarray:
    """The mask (256, 256) of the box."""
    mask = np.zeros((256, 256), np.uint8)
    mask[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 255
    return mask


def outline(strength: int = 255) -> np.ndarray:
    """Ink (256, 256) of the box and of a smaller one inside it."""
    ink = np.zeros((256, 256), np.uint8)
    cv2.rectangle(ink, BOX[:2], BOX[2:], strength, 2)
    cv2.rectangle(ink, (90, 100), (120, 140), 255, 2)
    return ink
