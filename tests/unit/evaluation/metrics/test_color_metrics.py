"""Errors whose answer is known."""

import numpy as np
import pytest

from backend.evaluation.metrics.color_metrics import color_difference, color_scores, intersection_over_union, score
from backend.evaluation.pairs import Pair


def test_published_pairs_of_ciede2000() -> None:
    """Black and white are 100 apart by definition; a color is 0 from itself."""
    black, white = np.zeros((1, 3), np.uint8), np.full((1, 3), 255, np.uint8)
    assert color_difference(black, white)[0] == pytest.approx(100, abs=0.01)
    assert color_difference(white, white)[0] == 0


def test_foreground_and_background_are_scored_apart(boxes_pair: Pair) -> None:
    inside = boxes_pair.mask[..., None] > 127
    wrong_background = np.where(inside, boxes_pair.color, 255).astype(np.uint8)
    scores = color_scores(wrong_background, boxes_pair.color, boxes_pair.line, boxes_pair.mask, True)
    assert scores.foreground.mean == 0 and scores.foreground.close == 1
    assert scores.background.mean > 20 and scores.background.near == 0
    assert 0 < scores.whole.mean < scores.background.mean
    share = (boxes_pair.mask > 127)[boxes_pair.line >= 200].mean()
    assert scores.whole.close == pytest.approx(share)


def test_without_a_mask_foreground_and_background_are_unknown(boxes_pair: Pair) -> None:
    scores = color_scores(boxes_pair.color, boxes_pair.color, boxes_pair.line, np.full_like(boxes_pair.mask, 255), False)
    assert scores.whole.mean == 0 and np.isnan(scores.foreground.mean) and np.isnan(scores.background.close)


def test_close_and_near_are_shares() -> None:
    truth, result = np.full((1, 4, 3), 128, np.uint8), np.full((1, 4, 3), 128, np.uint8)
    result[0, 1:] += np.array([[5], [25], [90]], np.uint8)
    line = np.full((1, 4), 255, np.uint8)
    scores = score(result, truth, line, line)
    assert scores.close == 0.75 - 0.25 * (color_difference(result[0, 2:3], truth[0, 2:3])[0] >= 10)
    assert scores.near == 0.75


def test_overlap_of_masks() -> None:
    a, b = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)
    assert intersection_over_union(a, b) == 1
    a[:, :2] = 255
    assert intersection_over_union(a, b) == 0
    b[:, 1:3] = 255
    assert intersection_over_union(a, b) == pytest.approx(1 / 3)
