"""Brings images to a size: to a longest side, or into a square with the aspect kept."""

from dataclasses import dataclass
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class Box:
    """Where an image of ``source_width`` x ``source_height`` lies in a square, in pixels."""

    left: int
    top: int
    width: int
    height: int
    source_width: int
    source_height: int


def fitted_size(width: int, height: int, longest: int) -> tuple[int, int]:
    """(width, height) scaled down so that the longest side is at most ``longest``; never enlarged, never below 1."""
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def resize(image: NDArray[Scalar], width: int, height: int) -> NDArray[Scalar]:
    """(h, w[, c]) uint8 or float32 at another size: area-averaged where it shrinks, cubic where it grows."""
    if image.shape[:2] == (height, width):
        return image
    shrinks = width < image.shape[1] or height < image.shape[0]
    source: Any = image
    resized: Any = cv2.resize(source, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return resized.reshape((height, width) + image.shape[2:])


def fit(image: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """The image (h, w[, c]) with its longest side at most ``longest``."""
    return resize(image, *fitted_size(image.shape[1], image.shape[0], longest))


def letterbox_box(width: int, height: int, side: int) -> Box:
    """The centered box of the largest image with aspect width : height in a square of ``side`` pixels."""
    scale = side / max(width, height)
    w, h = max(1, round(width * scale)), max(1, round(height * scale))
    return Box((side - w) // 2, (side - h) // 2, w, h, width, height)


def letterbox(image: NDArray[Scalar], side: int, fill: float | tuple[float, ...]) -> tuple[NDArray[Scalar], Box]:
    """The image (h, w[, c]) scaled into a (side, side[, c]) square, aspect kept, the rest ``fill``; and where it lies."""
    box = letterbox_box(image.shape[1], image.shape[0], side)
    square = np.empty((side, side) + image.shape[2:], image.dtype)
    square[...] = np.asarray(fill, image.dtype)
    inner = square[box.top : box.top + box.height, box.left : box.left + box.width]
    inner[...] = resize(image, box.width, box.height)
    return square, box


def letterbox_labels(labels: NDArray[np.int32], side: int, fill: int) -> tuple[NDArray[np.int32], Box]:
    """``letterbox`` for label maps (h, w): nearest, never a mixed value."""
    box = letterbox_box(labels.shape[1], labels.shape[0], side)
    rows = np.minimum((np.arange(box.height) + 0.5) * labels.shape[0] / box.height, labels.shape[0] - 1).astype(np.int64)
    columns = np.minimum((np.arange(box.width) + 0.5) * labels.shape[1] / box.width, labels.shape[1] - 1).astype(np.int64)
    square = np.full((side, side), fill, np.int32)
    square[box.top : box.top + box.height, box.left : box.left + box.width] = labels[rows[:, None], columns[None]]
    return square, box
