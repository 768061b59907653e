"""Areas of the background that lines close off."""

import cv2
import numpy as np

from backend.imaging.segmentation.enclosed_areas import add_crop_edges, find_enclosed_areas, full_strength


def test_two_feet_are_no_cut_off() -> None:
    ink = np.zeros((256, 256), np.uint8)
    cv2.rectangle(ink, (60, 180), (90, 200), 255, 2)
    cv2.rectangle(ink, (160, 180), (190, 200), 255, 2)
    np.testing.assert_array_equal(add_crop_edges(ink), ink)


def test_pockets_that_folds_divide_are_one() -> None:
    ink = np.zeros((256, 256), np.uint8)
    cv2.rectangle(ink, (60, 50), (200, 230), 255, 2)
    for x in range(80, 200, 20):
        cv2.line(ink, (x, 50), (x, 230), 255, 2)
    ground = np.ones(ink.shape, np.bool_)
    found = find_enclosed_areas(ink, ground, 0.04)
    fold = found.labels[200, 70]
    assert found.is_enclosed[fold] and not found.is_enclosed[found.labels[10, 10]]
    assert found.radius[fold] > 0.2 and found.radius[found.labels[10, 10]] == 0


def test_dirt_is_no_line_at_full_strength() -> None:
    ink = np.array([[0, 4, 20, 36, 255]], np.uint8)
    np.testing.assert_array_equal(full_strength(ink), [[0, 0, 128, 255, 255]])
