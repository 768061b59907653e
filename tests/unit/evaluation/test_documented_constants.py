"""Every threshold that docs/evaluation.md or a docstring promises, from both sides."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from backend.evaluation.aggregate import share_of_varied_regions
from backend.evaluation.metrics.color_metrics import color_difference, counted_pixels, score
from backend.evaluation.metrics.edge_metrics import color_bleed, color_leak
from backend.evaluation.metrics.image_metrics import foreground_box, ms_ssim
from backend.evaluation.pairs import Pair
from backend.evaluation.uncolored_drawings import choose_references
from backend.imaging.color import lab_from_rgb

BASE = 100
"""A gray; others are compared with it."""


def gray(value: int, height: int = 1, width: int = 1) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def ciede2000(value: int) -> float:
    return float(color_difference(gray(value), gray(BASE))[0, 0])


def lab_distance(value: int) -> float:
    return float(np.linalg.norm(lab_from_rgb(gray(value)) - lab_from_rgb(gray(BASE))))


def around(limit: float, distance: Callable[[int], float] = ciede2000) -> tuple[int, int]:
    """The last gray above BASE whose distance is under the limit, and the next one."""
    under = max(value for value in range(BASE, 255) if distance(value) < limit)
    assert limit - 0.5 < distance(under) < limit < distance(under + 1) < limit + 0.5
    return under, under + 1


def halves(left: int, right: int, height: int, width: int) -> np.ndarray:
    image = gray(right, height, width)
    image[:, : width // 2] = left
    return image


def left_mask(height: int, width: int) -> np.ndarray:
    return np.ascontiguousarray(halves(255, 0, height, width)[..., 0])


def paper(height: int, width: int) -> np.ndarray:
    return np.full((height, width), 255, np.uint8)


def test_a_pixel_under_200_is_a_line() -> None:
    line = np.array([[199, 200]], np.uint8)
    assert counted_pixels(line, paper(1, 2)).tolist() == [[False, True]]


@pytest.mark.parametrize(("limit", "field"), [(10.0, "close"), (20.0, "near")])
def test_shares_count_differences_under_10_and_20(limit: float, field: str) -> None:
    shares = [getattr(score(gray(value), gray(BASE), paper(1, 1), paper(1, 1)), field) for value in around(limit)]
    assert shares == [1.0, 0.0]


@pytest.mark.parametrize(("side", "last"), [(400, 12), (100, 4)])
def test_leaks_are_looked_for_2_pixels_to_3_percent_from_the_border_and_4_pixels_at_least(side: int, last: int) -> None:
    truth, mask = halves(20, 220, side, side), left_mask(side, side)
    for distance, leaks in ((1, False), (2, True), (last, True), (last + 1, False)):
        result = truth.copy()
        result[:, side // 2 - distance] = 220
        assert (color_leak(result, truth, paper(side, side), mask) > 0) == leaks, distance


def test_a_leak_is_judged_where_true_colors_are_20_apart() -> None:
    known = [
        not np.isnan(color_leak(t, t, paper(60, 60), left_mask(60, 60))) for t in (halves(v, BASE, 60, 60) for v in around(20))
    ]
    assert known == [False, True]


def test_a_pixel_leaks_within_10_of_the_color_across() -> None:
    truth = halves(255, BASE, 60, 60)
    leaks = [color_leak(halves(v, BASE, 60, 60), truth, paper(60, 60), left_mask(60, 60)) for v in around(10)]
    assert leaks == [0.5, 0.0]


def test_a_change_of_more_than_6_in_lab_bleeds() -> None:
    bleeds = [color_bleed(halves(v, BASE, 60, 60), gray(BASE, 60, 60), paper(60, 60)) > 0 for v in around(6, lab_distance)]
    assert bleeds == [False, True]


def test_places_where_the_truth_changes_by_less_than_3_in_lab_are_judged() -> None:
    result = halves(200, BASE, 60, 60)
    bleeds = [color_bleed(result, halves(v, BASE, 60, 60), paper(60, 60)) > 0 for v in around(3, lab_distance)]
    assert bleeds == [True, False]


@pytest.mark.parametrize(("side", "step"), [(100, 2), (312, 2), (313, 3), (438, 4)])
def test_pixels_are_compared_8_thousandths_of_the_side_apart_and_2_at_least(side: int, step: int) -> None:
    share = color_bleed(halves(200, BASE, side, side), gray(BASE, side, side), paper(side, side))
    assert share == pytest.approx(step / (2 * (side - step)))


def test_crops_are_176_pixels_wide_at_least() -> None:
    for width, expected in ((100, 176), (176, 176), (177, 177)):
        mask = np.zeros((400, 400), np.uint8)
        mask[:, 50 : 50 + width] = 255
        columns = foreground_box(mask)[1]
        assert columns.stop - columns.start == expected


def test_ms_ssim_needs_more_than_160_pixels() -> None:
    assert np.isnan(ms_ssim(gray(BASE, 160, 300), gray(BASE, 160, 300)))
    assert ms_ssim(gray(BASE, 161, 300), gray(BASE, 161, 300)) == pytest.approx(1)


def test_region_colors_more_than_5_apart_differ(boxes_pair: Pair) -> None:
    results = [[gray(value, 200, 200), gray(BASE, 200, 200)] for value in around(5)]
    assert [share_of_varied_regions(boxes_pair, pair) for pair in results] == [0.0, 1.0]


def test_three_pairs_become_references(boxes_pair: Pair) -> None:
    pairs = [replace(boxes_pair, name=str(number), source=f"set-{number}") for number in range(9)]
    assert [reference.name.split()[0] for reference in choose_references(pairs)] == ["0", "4", "8"]
