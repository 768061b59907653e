"""Small drawings of boxes and discs."""

import cv2
import numpy as np

SHAPES = ((90, 80, 50), (170, 90, 40), (128, 170, 60), (110, 160, 24), (150, 180, 18))


def _shape(image: np.ndarray, number: int, color: tuple[int, ...] | int, width: int, at: tuple[int, int, int]) -> None:
    x, y, r = at
    if number % 2:
        cv2.circle(image, (x, y), r, color, width, cv2.LINE_AA)
    else:
        cv2.rectangle(image, (x - r, y - r), (x + r, y + r), color, width, cv2.LINE_AA)


def draw(rng: np.random.Generator, colors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """line (256, 256) dark on white, color (256, 256, 3) and mask; colors: (6, 3), the first is the background's."""
    color = np.full((256, 256, 3), colors[0], np.uint8)
    line, mask = np.full((256, 256), 255, np.uint8), np.zeros((256, 256), np.uint8)
    for number, (x, y, r) in enumerate(SHAPES):
        at = (x + int(rng.integers(-6, 7)), y + int(rng.integers(-6, 7)), r + int(rng.integers(-4, 5)))
        _shape(color, number, tuple(int(v) for v in colors[number + 1]), -1, at)
        _shape(line, number, 255, -1, at)
        _shape(line, number, 0, 2, at)
        _shape(color, number, (20, 20, 20), 2, at)
        _shape(mask, number, 255, -1, at)
    return line, color, mask
