"""Regions: gaps closed, borders beneath the ink, the mask respected, limits kept."""

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.imaging.segmentation.regions import (
    line_mask,
    merge_and_split,
    region_medians,
    segment,
    snap_mask_to_regions,
)


def _inside_and_outside(labels: np.ndarray) -> tuple[set[int], set[int]]:
    side = labels.shape[0]
    y, x = np.mgrid[0:side, 0:side] - side / 2
    r = np.hypot(x, y) / side
    return set(labels[r < 0.30].tolist()), set(labels[r > 0.40].tolist())


@pytest.mark.parametrize("side", [64, 128, 256, 512, 1000])
def test_a_closed_circle_is_two_regions(side: int, circle) -> None:
    found = segment(circle(side=side), 0.04)
    assert found.count == 2
    inside, outside = _inside_and_outside(found.labels)
    assert len(inside) == len(outside) == 1 and inside.isdisjoint(outside)


@pytest.mark.parametrize("cuts", [1, 3, 12])
def test_gaps_narrower_than_asked_are_closed(cuts: int, circle) -> None:
    ink = circle(side=512, cuts=cuts, cut_px=14)
    inside, outside = _inside_and_outside(segment(ink, 0.04).labels)
    assert inside.isdisjoint(outside)


def test_without_gap_closing_the_circle_leaks(circle) -> None:
    inside, outside = _inside_and_outside(segment(circle(side=512, cuts=3, cut_px=14), 0.0).labels)
    assert not inside.isdisjoint(outside)


def test_a_wide_opening_is_no_gap() -> None:
    ink = np.zeros((256, 256), np.uint8)
    cv2.line(ink, (128, 0), (128, 90), 255, 2)
    cv2.line(ink, (128, 166), (128, 255), 255, 2)
    assert segment(ink, 0.04).count == 1


def test_borders_run_beneath_the_ink(circle) -> None:
    ink = circle(side=256, thickness=3)
    labels = segment(ink, 0.04).labels
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    assert across.any() and down.any()
    assert np.minimum(ink[:, 1:], ink[:, :-1])[across].min() > 128
    assert np.minimum(ink[1:], ink[:-1])[down].min() > 128


def test_the_border_is_in_the_middle_of_a_line() -> None:
    ink = np.zeros((256, 256), np.uint8)
    ink[:, 120:131] = 255
    labels = segment(ink, 0.04).labels
    changes = np.argmax(labels[:, 1:] != labels[:, :-1], axis=1) + 1
    assert np.abs(changes - 125.5).max() <= 1


def test_faint_lines_separate_as_strong_ones(circle) -> None:
    assert segment(circle(strength=60), 0.04).count == 2


def test_a_toned_area_is_a_region_of_its_own() -> None:
    ink = np.zeros((256, 256), np.uint8)
    cv2.rectangle(ink, (60, 60), (190, 190), 110, -1)
    labels = segment(ink, 0.04).labels
    assert labels[128, 128] != labels[20, 20]
    assert not line_mask(ink)[100:150, 100:150].any()


@given(st.integers(0, 2**32 - 1), st.sampled_from([64, 96, 160]), st.integers(2, 40))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_drawing_gives_a_valid_lattice(seed: int, side: int, limit: int) -> None:
    rng = np.random.default_rng(seed)
    ink = np.zeros((side, side + 13), np.uint8)
    for _ in range(rng.integers(0, 25)):
        a, b = rng.integers(0, side, (2, 2)).tolist()
        cv2.line(ink, a, b, int(rng.integers(30, 256)), int(rng.integers(1, 4)), cv2.LINE_AA)
    mask = np.zeros_like(ink)
    cv2.circle(mask, rng.integers(0, side, 2).tolist(), int(rng.integers(0, side)), 255, -1, cv2.LINE_AA)
    regions = merge_and_split(segment(ink, 0.04), mask, limit)
    assert regions.labels.dtype == np.int32 and regions.labels.shape == ink.shape
    assert np.array_equal(np.unique(regions.labels), np.arange(regions.count))
    assert regions.count <= limit
    assert regions.foreground.shape == (regions.count,) and regions.foreground.dtype == np.bool_
    again = merge_and_split(segment(ink, 0.04), mask, limit)
    assert np.array_equal(regions.labels, again.labels)


def test_the_mask_cuts_open_regions() -> None:
    ink = np.zeros((256, 256), np.uint8)
    cv2.line(ink, (0, 200), (255, 200), 255, 2)
    mask = np.zeros_like(ink)
    mask[:, :128] = 255
    regions = merge_and_split(segment(ink, 0.04), mask, 160)
    assert regions.count == 4
    assert np.array_equal(regions.foreground[regions.labels], mask > 127)


def test_a_mask_slightly_off_the_line_does_not_cut_regions(circle) -> None:
    mask = np.zeros((256, 256), np.uint8)
    cv2.circle(mask, (129, 128), 88, 255, -1, cv2.LINE_AA)
    regions = merge_and_split(segment(circle(), 0.04), mask, 160)
    assert regions.count == 2 and regions.foreground.sum() == 1


@pytest.mark.parametrize("value", [0, 255])
def test_blank_and_solid_drawings_are_one_region(value: int) -> None:
    regions = merge_and_split(segment(np.full((80, 70), value, np.uint8), 0.04), np.full((80, 70), 255, np.uint8), 160)
    assert regions.count == 1 and not regions.labels.any() and regions.foreground.all()


def test_a_guessed_mask_snaps_to_the_lines(circle) -> None:
    found = segment(circle(), 0.04)
    guess = np.zeros((256, 256), np.uint8)
    cv2.circle(guess, (120, 135), 80, 255, -1)
    snapped = snap_mask_to_regions(cv2.GaussianBlur(guess, (0, 0), 6), found.labels, found.count)
    assert np.array_equal(snapped > 0, found.labels == found.labels[128, 128])


def test_a_region_across_the_guess_is_cut_without_strips() -> None:
    labels = np.zeros((256, 256), np.int32)
    labels[100:150, 120:] = 1
    guess = np.zeros((256, 256), np.uint8)
    guess[:, :128] = 255
    guess[:, 238:243] = 255
    snapped = snap_mask_to_regions(guess, labels, 2)
    assert (snapped[:90, 6:122] == 255).all() and not snapped[:90, 135:].any()
    assert not snapped[110:140, 122:].any()


def test_medians_use_trusted_pixels_first() -> None:
    labels = np.zeros((4, 10), np.int32)
    labels[:, 5:] = 1
    labels[0, 0] = -1
    rgb = np.full((4, 10, 3), (10, 20, 30), np.uint8)
    rgb[:, 5:] = (200, 100, 50)
    rgb[:2, 5:] = (0, 0, 0)
    ok = np.ones((4, 10), np.bool_)
    ok[:2, 5:] = False
    medians, trusted = region_medians(labels, 3, rgb, ok)
    assert medians.tolist() == [[10, 20, 30], [200, 100, 50], [0, 0, 0]]
    assert trusted.tolist() == [19, 10, 0]


def test_merging_joins_small_regions() -> None:
    ink, mask = np.zeros((256, 256), np.uint8), np.full((256, 256), 255, np.uint8)
    for x in range(20, 250, 30):  # areas of some 50 pixels in one row, of 700 in the other
        cv2.circle(ink, (x, 60), 4, 255, 1)
        cv2.circle(ink, (x, 160), 14, 255, 1)
    counts = [merge_and_split(segment(ink, 0.0), mask, 160, merging).count for merging in (1.0, 8.0)]
    assert counts[0] >= 17 and counts[1] < counts[0] - 6


BLANK = np.zeros((256, 256), np.uint8)


def _wall(opening: int) -> np.ndarray:
    """Two halves with a wall between them that has an opening in its middle."""
    ink = BLANK.copy()
    ink[:, 127:129] = 255
    ink[128 - opening // 2 : 128 - opening // 2 + opening, 127:129] = 0
    return ink


@pytest.mark.parametrize(("opening", "count"), [(23, 2), (29, 1)])
def test_a_gap_is_closed_up_to_the_width_asked_for(opening: int, count: int) -> None:
    assert segment(_wall(opening), 0.1).count == count  # 25.6 pixels


@pytest.mark.parametrize(("opening", "count"), [(52, 2), (62, 1)])
def test_a_neck_of_seven_tenths_of_a_room_is_no_gap(opening: int, count: int) -> None:
    ink = BLANK.copy()
    for left in (20, 102):
        ink[84:166, left : left + 82] = 255
        ink[86:164, left + 2 : left + 80] = 0  # rooms with a radius of 39 or 40 pixels
    ink[125 - opening // 2 : 125 - opening // 2 + opening, 95:110] = 0
    labels = segment(ink, 0.5).labels
    assert len({labels[125, 60], labels[125, 142]}) == count


def _room(height: int, width: int) -> np.ndarray:
    """A closed room of so much paper in the middle of the drawing."""
    ink = BLANK.copy()
    ink[100 : 102 + height, 100 : 102 + width] = 255
    ink[101 : 101 + height, 101 : 101 + width] = 0
    return ink


@pytest.mark.parametrize(("side", "joined"), [(256, False), (512, True)])
def test_a_basin_is_deeper_than_a_bump(side: int, joined: bool) -> None:
    """Two corridors meet at a corner, where a way of radius 1.4 leads from one of radius 2 to the other."""
    ink = np.full((side, side), 255, np.uint8)
    ink[100:103, 50:71] = ink[102:105, 70:91] = 0
    labels = segment(ink, 0.1).labels
    assert (labels[101, 55] == labels[103, 85]) == joined  # a bump is less than 0.6 pixels at 256, or 0.85 at 512


@pytest.mark.parametrize(("size", "count"), [((3, 3), 1), ((2, 5), 2)])
def test_a_fragment_has_less_than_ten_pixels(size: tuple[int, int], count: int) -> None:
    assert segment(_room(*size), 0.0).count == count


@pytest.mark.parametrize(("size", "count"), [((3, 13), 1), ((5, 8), 2)])
def test_a_region_has_forty_pixels(size: tuple[int, int], count: int) -> None:
    assert merge_and_split(segment(_room(*size), 0.0), BLANK, 160).count == count


@pytest.mark.parametrize(("background_width", "joined"), [(11, "background"), (13, "foreground")])
def test_the_foreground_counts_four_times_when_regions_are_too_many(background_width: int, joined: str) -> None:
    ink, mask = BLANK.copy(), BLANK.copy()
    mask[:, :128] = 255
    ink[:, 127:129] = 255
    for left, width in ((40, 3), (180, background_width)):  # 30 pixels against 110 or 130
        ink[100:112, left : left + width + 2] = 255
        ink[101:111, left + 1 : left + 1 + width] = 0
    labels = merge_and_split(segment(ink, 0.0), mask, 3, merging=0.0).labels
    is_joined = {"foreground": labels[105, 42] == labels[20, 20], "background": labels[105, 185] == labels[20, 220]}
    assert [name for name, merged in is_joined.items() if merged] == [joined]


@pytest.mark.parametrize(("columns", "count"), [(15, 1), (16, 2)])
def test_a_mask_splits_off_more_than_six_percent(columns: int, count: int) -> None:
    mask = BLANK.copy()
    mask[:, :columns] = 255
    assert merge_and_split(segment(BLANK, 0.0), mask, 160).count == count


@pytest.mark.parametrize(("height", "split"), [(11, False), (12, True)])
def test_a_mask_splits_off_no_less_than_twelve_pixels(height: int, split: bool) -> None:
    mask = BLANK.copy()
    mask[:, 101:102] = 255
    mask[:101] = mask[101 + height :] = 0
    assert merge_and_split(segment(_room(height, 10), 0.0), mask, 160).foreground.any() == split


@pytest.mark.parametrize(("columns", "pixels"), [(24, 0), (26, 26), (74, 74), (76, 100)])
def test_a_region_between_a_quarter_and_three_quarters_is_split_where_the_guess_says(columns: int, pixels: int) -> None:
    guess = np.zeros((100, 100), np.uint8)
    guess[:, :columns] = 255
    snapped = snap_mask_to_regions(guess, np.zeros(guess.shape, np.int32), 1)
    assert np.count_nonzero(snapped) == 100 * pixels


@pytest.mark.parametrize(("length", "pixels"), [(20, 0), (21, 8 * 10)])
def test_a_region_split_by_the_guess_is_larger_than_a_five_hundredth(length: int, pixels: int) -> None:
    labels, guess = np.zeros((40, 2000), np.int32), np.zeros((40, 2000), np.uint8)
    labels[10:18, 100 : 100 + length] = 1  # of 80000 pixels 160 or 168
    guess[10:18, 100:110] = 255
    assert np.count_nonzero(snap_mask_to_regions(guess, labels, 2)) == pixels


@pytest.mark.parametrize(("width", "kept"), [(6, False), (7, True)])
def test_strips_of_a_guess_are_left_out(width: int, kept: bool) -> None:
    guess = np.zeros((250, 250), np.uint8)  # where a strip may be 2 x 3 pixels wide
    guess[:, :100] = 255
    guess[:, 160 : 160 + width] = 255
    snapped = snap_mask_to_regions(guess, np.zeros(guess.shape, np.int32), 1)
    assert (snapped[125, 163] == 255) == kept and snapped[125, 50] == 255


@pytest.mark.parametrize(("count", "level"), [(2, 0), (3, 200)])
def test_a_median_rests_on_three_trusted_pixels(count: int, level: int) -> None:
    rgb = np.zeros((10, 10, 3), np.uint8)
    trusted = np.zeros((10, 10), np.bool_)
    trusted[0, :count] = True
    rgb[trusted] = 200
    medians, _ = region_medians(np.zeros((10, 10), np.int32), 1, rgb, trusted)
    assert medians[0, 0] == level
