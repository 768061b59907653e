"""A small line drawing and a colored reference of the same character, drawn here so that the tests need no image files."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.imaging.types import Gray, Rgb, Rgba

SKIN, HAIR, DRESS, SHOES = (236, 188, 160), (120, 60, 40), (60, 90, 190), (150, 30, 50)
SKY, SUN, GRASS = (150, 205, 240), (250, 215, 90), (110, 170, 90)
Points = NDArray[np.int32]


@dataclass(frozen=True)
class Part:
    """One closed shape: its outline in parts of the canvas, its color, whether it belongs to the foreground."""

    outline: Points
    color: tuple[int, int, int]
    foreground: bool


@dataclass(frozen=True)
class Art:
    """Paths of the PNG files of one drawing."""

    lines: Path
    """Black lines on transparent."""
    scan: Path
    """The same lines black on white, opaque."""
    painting: Path
    """The same lines on the colored scene, opaque."""
    reference: Path
    """The colored scene, mirrored, opaque."""
    mask: Path
    """8-bit gray, 255 = foreground."""
    cutout: Path
    """White character on transparent: a layer whose alpha is the mask."""


def _ellipse(size: tuple[int, int], x: float, y: float, rx: float, ry: float) -> Points:
    angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    points = np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], 1)
    return np.round(points * size * 16).astype(np.int32)


def _polygon(size: tuple[int, int], *points: tuple[float, float]) -> Points:
    return np.round(np.array(points) * size * 16).astype(np.int32)


def parts(size: tuple[int, int]) -> list[Part]:
    """The scene from back to front; outlines in sixteenths of a pixel."""
    return [
        Part(_polygon(size, (-0.1, 0.7), (0.3, 0.62), (0.7, 0.72), (1.1, 0.64), (1.1, 1.1), (-0.1, 1.1)), GRASS, False),
        Part(_ellipse(size, 0.18, 0.2, 0.09, 0.09), SUN, False),
        Part(_ellipse(size, 0.55, 0.29, 0.15, 0.19), HAIR, True),
        Part(_polygon(size, (0.49, 0.8), (0.54, 0.8), (0.54, 0.91), (0.49, 0.91)), SKIN, True),
        Part(_polygon(size, (0.57, 0.8), (0.62, 0.8), (0.62, 0.91), (0.57, 0.91)), SKIN, True),
        Part(_ellipse(size, 0.5, 0.925, 0.06, 0.03), SHOES, True),
        Part(_ellipse(size, 0.62, 0.925, 0.06, 0.03), SHOES, True),
        Part(_polygon(size, (0.47, 0.48), (0.64, 0.48), (0.76, 0.81), (0.36, 0.81)), DRESS, True),
        Part(_polygon(size, (0.46, 0.49), (0.5, 0.49), (0.41, 0.68), (0.36, 0.66)), SKIN, True),
        Part(_polygon(size, (0.61, 0.49), (0.65, 0.49), (0.75, 0.66), (0.7, 0.68)), SKIN, True),
        Part(_ellipse(size, 0.55, 0.33, 0.1, 0.13), SKIN, True),
        Part(_ellipse(size, 0.51, 0.32, 0.015, 0.02), HAIR, True),
        Part(_ellipse(size, 0.59, 0.32, 0.015, 0.02), HAIR, True),
    ]


def colored(size: tuple[int, int]) -> Rgb:
    """The scene in flat colors, (H, W, 3)."""
    image = np.full((size[1], size[0], 3), SKY, np.uint8)
    for part in parts(size):
        cv2.fillPoly(image, [part.outline], part.color, cv2.LINE_AA, shift=4)
    return image


def ink(size: tuple[int, int]) -> Gray:
    """The lines, (H, W), 255 = full line."""
    alpha = np.zeros((size[1], size[0]), np.uint8)
    width = max(2, round(min(size) / 220))
    for part in parts(size):
        cv2.fillPoly(alpha, [part.outline], 0, cv2.LINE_AA, shift=4)
        cv2.polylines(alpha, [part.outline], True, 255, width, cv2.LINE_AA, shift=4)
    return alpha


def foreground_mask(size: tuple[int, int]) -> Gray:
    """The mask, (H, W), 255 = foreground."""
    mask = np.zeros((size[1], size[0]), np.uint8)
    for part in parts(size):
        if part.foreground:
            cv2.fillPoly(mask, [part.outline], 255, cv2.LINE_AA, shift=4)
    return mask


def _save(path: Path, image: NDArray[np.uint8]) -> Path:
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}
    data = image if image.ndim == 2 else image[..., order[image.shape[2]]]
    path.write_bytes(cv2.imencode(".png", data)[1].tobytes())
    return path


def with_alpha(color: tuple[int, int, int], alpha: Gray) -> Rgba:
    """One color everywhere, as opaque as ``alpha`` says."""
    return np.dstack([np.full((*alpha.shape, 3), color, np.uint8), alpha])


def draw(folder: Path, size: tuple[int, int]) -> Art:
    """Write all images of the scene at ``size`` (W, H) into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    lines, mask = ink(size), foreground_mask(size)
    inked = np.rint(colored(size) * (1 - lines[..., None] / 255)).astype(np.uint8)
    return Art(
        lines=_save(folder / "lines.png", with_alpha((0, 0, 0), lines)),
        scan=_save(folder / "scan.png", np.dstack([255 - lines] * 3)),
        painting=_save(folder / "painting.png", inked),
        reference=_save(folder / "reference.png", np.ascontiguousarray(colored(size)[:, ::-1])),
        mask=_save(folder / "mask.png", mask),
        cutout=_save(folder / "cutout.png", with_alpha((255, 255, 255), mask)),
    )
