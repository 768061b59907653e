"""Changes that keep a set true: mirrors, small moves, other colors for drawing and reference together."""

import cv2
import numpy as np

from backend.imaging.types import Floats, Rgb

_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


def color_matrix(rng: np.random.Generator, natural: float) -> Floats:
    """A random 3 x 3 change of linear RGB mixtures: with probability ``natural`` none, else a hue turn, saturation and gains.

    Skin in natural hues is worth keeping most of the time: the network may learn that faces are skin-colored.
    """
    u = rng.random()
    if u < natural:
        return np.eye(3, dtype=np.float32)
    if u < natural + 0.15 * (1 - natural):
        return np.eye(3, dtype=np.float32)[rng.permutation(3)]
    turn = rng.normal(0, 0.3) if u < natural + 0.5 * (1 - natural) else rng.uniform(-np.pi, np.pi)
    saturation = rng.uniform(0.6, 1.4)
    cosine, sine = np.cos(turn) * saturation, np.sin(turn) * saturation
    rotate = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    gains = np.exp(rng.normal(0, 0.12, 3)) * np.exp(rng.normal(0, 0.08))
    return (np.diag(gains) @ np.linalg.inv(_YIQ) @ rotate @ _YIQ).astype(np.float32)


def apply_colors(matrix: Floats, rgb: Rgb | Floats) -> Floats:
    """(..., 3) float32 sRGB 0..1 after ``matrix``; uint8 or 0..1 float in."""
    values = rgb.astype(np.float32) / 255 if rgb.dtype == np.uint8 else rgb
    return np.clip(values @ matrix.T, 0, 1)


def random_move(rng: np.random.Generator, side: int) -> Floats:
    """A 2 x 3 matrix for ``cv2.warpAffine``: up to 12 degrees, 0.75 to 1.3 in size, a shift of up to 8 % of the side."""
    angle, scale = rng.uniform(-12, 12), np.exp(rng.uniform(np.log(0.75), np.log(1.3)))
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), float(angle), float(scale))
    matrix[:, 2] += rng.uniform(-0.08, 0.08, 2) * side
    return matrix.astype(np.float32)


def at_size(matrix: Floats, side: int, other: int) -> Floats:
    """The same move, made for pictures of ``side`` pixels, for pictures of ``other`` pixels."""
    scale = other / side
    scaled = matrix.copy()
    scaled[:, 2] = scale * matrix[:, 2] + 0.5 * (scale - 1) * (1 - matrix[:, 0] - matrix[:, 1])
    return scaled


def move(picture: np.ndarray, matrix: Floats, outside: int, labels: bool) -> np.ndarray:
    """(s, s) or (s, s, 3) moved by ``matrix``; what comes from outside is ``outside``; labels are never mixed."""
    side = picture.shape[0]
    how = cv2.INTER_NEAREST if labels else cv2.INTER_LINEAR
    paper = (outside, outside, outside)
    return cv2.warpAffine(
        np.ascontiguousarray(picture), matrix, (side, side), flags=how, borderMode=cv2.BORDER_CONSTANT, borderValue=paper
    )
