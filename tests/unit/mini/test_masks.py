"""Guessed masks moved to the borders of colours and lines."""

import cv2
import numpy as np

from backend.families.mini_masks import snapped_to_colours, snapped_to_lines

BOX = (60, 50, 200, 230)
"""left, top, right, bottom of the figure; a smaller box stands inside it."""


def _blob() -> np.ndarray:
    """A round, soft guess in the middle of the box: it misses the corners."""
    y, x = np.mgrid[0:256, 0:256]
    return np.clip(320 - 3.2 * np.hypot(x - 130, y - 140), 0, 255).astype(np.uint8)


def _truth() -> np.ndarray:
    truth = np.zeros((256, 256), np.uint8)
    truth[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 255
    return truth


def _overlap(mask: np.ndarray) -> float:
    inside, truth = mask > 127, _truth() > 127
    return float((inside & truth).sum() / (inside | truth).sum())


def test_a_figure_on_plain_paper_is_everything_that_is_not_paper() -> None:
    rgb = np.full((256, 256, 3), (250, 248, 240), np.uint8)
    rgb[BOX[1] : BOX[3], BOX[0] : BOX[2]] = (180, 40, 60)
    rgb[100:140, 90:120] = (40, 60, 160)
    assert _overlap(_blob()) < 0.9
    assert _overlap(snapped_to_colours(_blob(), rgb)) > 0.97
    assert _overlap(snapped_to_colours(np.zeros((256, 256), np.uint8), rgb)) > 0.97


def test_a_ground_of_several_colours_leaves_undecided_areas_alone() -> None:
    rgb = np.zeros((256, 256, 3), np.uint8)
    rgb[:, :128], rgb[:, 128:] = (200, 200, 120), (60, 90, 160)
    soft = np.full((256, 256), 120, np.uint8)
    np.testing.assert_array_equal(snapped_to_colours(soft, rgb), soft)


def test_a_drawing_on_empty_ground_is_filled_to_its_outline() -> None:
    ink = np.zeros((256, 256), np.uint8)
    cv2.rectangle(ink, BOX[:2], BOX[2:], 255, 2)
    cv2.rectangle(ink, (90, 100), (120, 140), 255, 2)
    assert _overlap(snapped_to_lines(_blob(), ink)) > 0.95


def test_a_sure_no_stays_out() -> None:
    ink = np.zeros((256, 256), np.uint8)
    cv2.rectangle(ink, BOX[:2], BOX[2:], 255, 2)
    cv2.circle(ink, (28, 28), 16, 255, 2)
    snapped = snapped_to_lines(_blob(), ink)
    assert snapped[28, 28] == 0 and _overlap(snapped) > 0.95


def test_a_drawing_with_a_drawn_ground_keeps_the_guess() -> None:
    ink = np.zeros((256, 256), np.uint8)
    for at in (64, 128, 192):
        cv2.line(ink, (0, at), (255, at), 255, 2)
    np.testing.assert_array_equal(snapped_to_lines(_blob(), ink), _blob())
