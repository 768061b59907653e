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
