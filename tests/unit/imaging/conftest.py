"""Small drawings that the imaging tests share."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

Draw = Callable[..., np.ndarray]


@pytest.fixture
def circle() -> Draw:
    """``circle(side, cuts, cut_px, thickness)``: ink (side, side) of a circle with gaps cut out of its line."""

    def draw(side: int = 256, cuts: int = 0, cut_px: float = 0.0, thickness: int = 2, strength: int = 255) -> np.ndarray:
        ink = np.zeros((side, side), np.uint8)
        middle, radius = side / 2, side * 0.35
        cv2.circle(ink, (side // 2, side // 2), round(radius), strength, thickness, cv2.LINE_AA)
        for k in range(cuts):
            angle = 2 * np.pi * (k + 0.3) / cuts
            x, y = middle + radius * np.cos(angle), middle + radius * np.sin(angle)
            cv2.circle(ink, (round(x), round(y)), round(cut_px / 2), 0, -1)
        return ink

    return draw


@pytest.fixture
def character() -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """``character(side)``: ink and mask of a head on a body before a horizon, lines about side / 150 wide."""

    def draw(side: int) -> tuple[np.ndarray, np.ndarray]:
        ink, mask = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint8)
        thick = max(1, side // 150)
        s = side / 100
        cv2.line(ink, (0, round(62 * s)), (side, round(66 * s)), 255, thick, cv2.LINE_AA)
        body = np.rint(np.array([[32, 99], [38, 55], [62, 55], [68, 99]]) * s).astype(np.int32)
        for shape in (mask, ink):
            cv2.fillPoly(shape, [body], 255 if shape is mask else 0, cv2.LINE_AA)
            cv2.circle(shape, (round(50 * s), round(35 * s)), round(22 * s), 255 if shape is mask else 0, -1, cv2.LINE_AA)
        cv2.polylines(ink, [body], False, 255, thick, cv2.LINE_AA)
        cv2.circle(ink, (round(50 * s), round(35 * s)), round(22 * s), 0, -1, cv2.LINE_AA)
        cv2.circle(ink, (round(50 * s), round(35 * s)), round(22 * s), 255, thick, cv2.LINE_AA)
        return ink, mask

    return draw
