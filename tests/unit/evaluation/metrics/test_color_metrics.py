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


def test_the_sides_of_the_mask_are_judged_apart(made: Pair) -> None:
    inside = made.mask[..., None] > 127
    wrong_ground = np.where(inside, made.color, 255).astype(np.uint8)
    found = color_scores(wrong_ground, made.color, made.line, made.mask, True)
    assert found.foreground.mean == 0 and found.foreground.close == 1
    assert found.background.mean > 20 and found.background.near == 0
    assert 0 < found.whole.mean < found.background.mean
    share = (made.mask > 127)[made.line >= 200].mean()
    assert found.whole.close == pytest.approx(share)


def test_a_mask_that_is_none_leaves_the_sides_unknown(made: Pair) -> None:
    found = color_scores(made.color, made.color, made.line, np.full_like(made.mask, 255), False)
    assert found.whole.mean == 0 and np.isnan(found.foreground.mean) and np.isnan(found.background.close)


def test_close_and_near_are_shares() -> None:
    truth, result = np.full((1, 4, 3), 128, np.uint8), np.full((1, 4, 3), 128, np.uint8)
    result[0, 1:] += np.array([[5], [25], [90]], np.uint8)
    line = np.full((1, 4), 255, np.uint8)
    found = score(result, truth, line, line)
    assert found.close == 0.75 - 0.25 * (color_difference(result[0, 2:3], truth[0, 2:3])[0] >= 10)
    assert found.near == 0.75


def test_overlap_of_masks() -> None:
    a, b = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)
    assert intersection_over_union(a, b) == 1
    a[:, :2] = 255
    assert intersection_over_union(a, b) == 0
    b[:, 1:3] = 255
    assert intersection_over_union(a, b) == pytest.approx(1 / 3)
