"""Strokes found in a layer of hints, and their colors."""

import cv2
import numpy as np
import pytest

from backend.imaging.edits.hint_strokes import find_hint_strokes

RED, BLUE = (210, 30, 40), (20, 60, 220)


def _painted(*dabs: tuple[int, int, int, tuple[int, int, int]]) -> np.ndarray:
    """Dabs of (x, y, radius, color)."""
    hints = np.zeros((96, 96, 4), np.uint8)
    for x, y, radius, color in dabs:
        cv2.circle(hints, (x, y), radius, (*color, 255), -1)
    return hints


def test_a_soft_brush_is_one_color_and_its_most_frequent() -> None:
    hints = _painted((70, 50, 12, RED))
    alpha = cv2.GaussianBlur(hints[..., 3], (0, 0), 4)
    noise = np.random.default_rng(1).integers(-6, 7, (96, 96, 3))
    soft = np.where((alpha < 120)[..., None], np.clip(np.array(RED) + noise, 0, 255), RED).astype(np.uint8)
    found = find_hint_strokes(np.dstack([soft, alpha]))
    assert found.colors.tolist() == [list(RED)]
    assert len(found.rows) == np.count_nonzero(alpha) and found.weight.min() >= 1


def test_touching_strokes_are_two_strokes() -> None:
    found = find_hint_strokes(_painted((60, 40, 6, RED), (60, 50, 6, BLUE)))
    assert sorted(found.colors.tolist()) == sorted([list(RED), list(BLUE)])


def test_a_whole_image_for_hints_is_looked_at_in_parts() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (2100, 2100, 4)).astype(np.uint8)
    noise[..., 3] = 255
    found = find_hint_strokes(noise)
    assert 1 <= len(found.colors) <= 10 and len(found.rows) == 1050 * 1050


def _two_colors(second: tuple[int, int, int], pixels: int) -> np.ndarray:
    """A connected area of 200 pixels, so many of them in a second color."""
    hints = np.zeros((20, 20, 4), np.uint8)
    flat = hints.reshape(-1, 4)
    flat[:200] = (100, 100, 100, 255)
    flat[:pixels] = (*second, 255)
    return hints


@pytest.mark.parametrize(("difference", "strokes"), [(16, 1), (17, 2)])
def test_colors_that_differ_by_16_in_a_channel_are_one(difference: int, strokes: int) -> None:
    assert len(find_hint_strokes(_two_colors((100, 100 + difference, 100), 60)).colors) == strokes


@pytest.mark.parametrize(("pixels", "strokes"), [(19, 1), (20, 2)])
def test_a_tenth_of_the_paint_is_a_stroke_of_its_own(pixels: int, strokes: int) -> None:
    assert len(find_hint_strokes(_two_colors(BLUE, pixels)).colors) == strokes
