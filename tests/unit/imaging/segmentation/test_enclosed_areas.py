"""Areas of the background that lines close off."""

import cv2
import numpy as np
import pytest

from backend.imaging.segmentation.enclosed_areas import add_crop_edges, find_enclosed_areas, full_strength


def test_two_feet_are_no_cut_off() -> None:
    ink = np.zeros((256, 256), np.uint8)
    cv2.rectangle(ink, (60, 180), (90, 200), 255, 2)
    cv2.rectangle(ink, (160, 180), (190, 200), 255, 2)
    np.testing.assert_array_equal(add_crop_edges(ink), ink)


def test_enclosed_areas_that_folds_divide_are_one() -> None:
    ink = np.zeros((256, 256), np.uint8)
    cv2.rectangle(ink, (60, 50), (200, 230), 255, 2)
    for x in range(80, 200, 20):
        cv2.line(ink, (x, 50), (x, 230), 255, 2)
    background = np.ones(ink.shape, np.bool_)
    found = find_enclosed_areas(ink, background, 0.04)
    fold = found.labels[200, 70]
    assert found.is_enclosed[fold] and not found.is_enclosed[found.labels[10, 10]]
    assert found.radius[fold] > 0.2 and found.radius[found.labels[10, 10]] == 0


def test_dirt_is_no_line_at_full_strength() -> None:
    ink = np.array([[0, 4, 20, 36, 255]], np.uint8)
    np.testing.assert_array_equal(full_strength(ink), [[0, 0, 128, 255, 255]])


def _bottom_line(columns: int, gaps: int = 0, strength: int = 255, step: int = 0) -> np.ndarray:
    """A line near the bottom of a 200 x 200 drawing, so many of its columns bare, and its right half upsampled by ``step``."""
    ink = np.zeros((200, 200), np.uint8)
    ink[150, 50 : 50 + columns] = strength
    ink[150, 51 : 51 + gaps] = 0
    if step:
        middle = 50 + columns // 2
        ink[150 - step, middle : 50 + columns] = strength
        ink[150, middle : 50 + columns] = 0
    return ink


def _is_closed(ink: np.ndarray) -> bool:
    """Whether the line was taken for a crop edge: it is drawn two rows thick then."""
    columns = np.flatnonzero(ink.any(0))
    return bool((add_crop_edges(ink)[149:151, columns[0] : columns[-1] + 1] == 255).all())


@pytest.mark.parametrize(
    ("ink", "closed"),
    [
        (_bottom_line(25), False),  # 24 pixels from end to end: 0.12 of the image
        (_bottom_line(26), True),
        (_bottom_line(101, gaps=26), False),  # 75 columns of ink over 100
        (_bottom_line(101, gaps=25), True),
        (_bottom_line(101, strength=20), False),
        (_bottom_line(101, strength=21), True),
        (_bottom_line(101, step=4), False),
        (_bottom_line(101, step=3), True),
    ],
)
def test_what_a_crop_edge_is(ink: np.ndarray, closed: bool) -> None:
    assert _is_closed(ink) == closed
