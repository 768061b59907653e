"""Leaks and bleeding of a known extent."""

import cv2
import numpy as np
import pytest

from backend.evaluation.metrics.edge_metrics import color_bleed, color_leak
from backend.evaluation.pairs import Pair

RED, BLUE = (200, 40, 40), (40, 40, 200)


def halves(border: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """color, line, mask of 200 x 200: red left of the border, blue right of it; the left is foreground; no lines."""
    color = np.full((200, 200, 3), BLUE, np.uint8)
    color[:, :border] = RED
    mask = np.zeros((200, 200), np.uint8)
    mask[:, :border] = 255
    return color, np.full((200, 200), 255, np.uint8), mask


def test_a_shifted_border_leaks_by_the_columns_it_moved() -> None:
    truth, line, mask = halves(100)
    assert color_leak(truth, truth, line, mask) == 0
    # Judged are the pixels 2 to 6 away from the border on each side: 10 columns.  Two of them (2 and 3 away) changed sides.
    assert color_leak(halves(103)[0], truth, line, mask) == pytest.approx(2 / 10)
    assert color_leak(halves(97)[0], truth, line, mask) == pytest.approx(2 / 10)
    assert color_leak(halves(150)[0], truth, line, mask) == pytest.approx(5 / 10)


def test_a_third_color_is_no_leak() -> None:
    truth, line, mask = halves(100)
    assert color_leak(np.full_like(truth, 230), truth, line, mask) == 0


def test_what_cannot_be_distinguished_is_not_scored() -> None:
    _, line, mask = halves(100)
    plain = np.full((200, 200, 3), 128, np.uint8)
    assert np.isnan(color_leak(plain, plain, line, mask))
    assert np.isnan(color_leak(plain, halves(100)[0], line, np.full_like(mask, 255)))


def test_pixels_on_lines_do_not_leak() -> None:
    truth, line, mask = halves(100)
    line[:, 90:110] = 0
    assert np.isnan(color_leak(halves(150)[0], truth, line, mask))


def test_a_border_in_the_middle_of_the_paper_bleeds_by_its_length() -> None:
    plain, line = np.full((200, 200, 3), 128, np.uint8), np.full((200, 200), 255, np.uint8)
    assert color_bleed(plain, plain, line) == 0
    # Two pixels are compared: 198 x 200 places in rows and as many in columns, of which 2 x 200 in rows lie across the border.
    assert color_bleed(halves(100)[0], plain, line) == pytest.approx(2 * 200 / (2 * 198 * 200))


def test_a_border_under_a_line_or_in_the_truth_does_not_bleed() -> None:
    plain, line = np.full((200, 200, 3), 128, np.uint8), np.full((200, 200), 255, np.uint8)
    truth = halves(100)[0]
    assert color_bleed(truth, truth, line) == 0
    line[:, 99:101] = 0
    assert color_bleed(truth, plain, line) == 0


def test_color_smeared_over_a_line_bleeds_and_more_so_the_wider() -> None:
    truth, line, _ = halves(100)
    line[:, 98:102] = 0
    scores = [color_bleed(cv2.GaussianBlur(truth, (0, 0), sigma), truth, line) for sigma in (1, 3, 6)]
    assert scores[0] == 0 < scores[1] < scores[2]


def test_regions_in_wrong_colors_do_not_bleed(boxes_pair: Pair) -> None:
    swapped = np.ascontiguousarray(boxes_pair.color[..., ::-1])
    assert color_bleed(swapped, boxes_pair.color, boxes_pair.line) == 0


def test_nothing_calm_is_unknown() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    assert np.isnan(color_bleed(noise, noise, np.full((64, 64), 255, np.uint8)))
