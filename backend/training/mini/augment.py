"""Augmentations that keep an example valid: mirrors, small affine moves, other colors for drawing and reference together."""

import cv2
import numpy as np

from backend.imaging.types import Floats, Rgb

_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
"""RGB -> YIQ: hue is a rotation of the last two axes, saturation their scale."""


def random_color_matrix(rng: np.random.Generator, natural: float) -> Floats:
    """A random 3 x 3 matrix for RGB colors: with probability ``natural`` the identity, else new hues, saturation and gains.

    Natural hues are kept most of the time: the network may learn that faces are skin-colored.
    """
    u = rng.random()
    if u < natural:
        return np.eye(3, dtype=np.float32)
    if u < natural + 0.15 * (1 - natural):  # swapped channels
        return np.eye(3, dtype=np.float32)[rng.permutation(3)]
    # A slight turn of the hues, or in half of the changed examples any turn.
    hue = rng.normal(0, 0.3) if u < natural + 0.5 * (1 - natural) else rng.uniform(-np.pi, np.pi)
    saturation = rng.uniform(0.6, 1.4)
    cosine, sine = np.cos(hue) * saturation, np.sin(hue) * saturation
    # In YIQ, hue is the angle of (I, Q) and saturation its length; brightness Y stays.
    rotation = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    gains = np.exp(rng.normal(0, 0.12, 3)) * np.exp(rng.normal(0, 0.08))
    return (np.diag(gains) @ np.linalg.inv(_YIQ) @ rotation @ _YIQ).astype(np.float32)


def apply_color_matrix(matrix: Floats, rgb: Rgb | Floats) -> Floats:
    """(..., 3) colors, uint8 or float 0..1 -> float32 sRGB 0..1 after ``matrix``."""
    values = rgb.astype(np.float32) / 255 if rgb.dtype == np.uint8 else rgb
    return np.clip(values @ matrix.T, 0, 1)


def random_affine(rng: np.random.Generator, side: int) -> Floats:
    """A 2 x 3 matrix for ``apply_affine``: up to 12 degrees, 0.75 to 1.3 in size, shifted by up to 8 % of the side."""
    angle, scale = rng.uniform(-12, 12), np.exp(rng.uniform(np.log(0.75), np.log(1.3)))
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), float(angle), float(scale))
    matrix[:, 2] += rng.uniform(-0.08, 0.08, 2) * side
    return matrix.astype(np.float32)


def rescale_affine(matrix: Floats, side: int, new_side: int) -> Floats:
    """The same move for images of ``new_side`` pixels, from a matrix for images of ``side`` pixels."""
    scale = new_side / side
    scaled = matrix.copy()
    # pixel centers lie at whole numbers, so a scaled image is also shifted by half the difference in pixel size
    scaled[:, 2] = scale * matrix[:, 2] + 0.5 * (scale - 1) * (1 - matrix[:, 0] - matrix[:, 1])
    return scaled


def apply_affine(image: np.ndarray, matrix: Floats, outside: int, labels: bool) -> np.ndarray:
    """(s, s) or (s, s, 3) moved by ``matrix``.

    outside: the value of pixels that come from outside.  labels: whether values are labels, which must not be interpolated.
    """
    side = image.shape[0]
    interpolation = cv2.INTER_NEAREST if labels else cv2.INTER_LINEAR
    border = (outside, outside, outside)
    return cv2.warpAffine(
        np.ascontiguousarray(image),
        matrix,
        (side, side),
        flags=interpolation,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=border,
    )
