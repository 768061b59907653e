"""Shading around a given color."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.imaging.edits.mean_shift import shift_region_means
from backend.imaging.types import NO_FIXED_REGIONS, FixedRegions, Regions

REGIONS = Regions(
    np.repeat([[0, 1]], 32, 0).repeat(16, 1).astype(np.int32), 2, np.zeros((32, 32), np.bool_), np.array([1, 1], bool)
)


@given(st.tuples(*[st.integers(0, 255)] * 3), st.integers(0, 255), st.integers(0, 120))
@settings(max_examples=50, deadline=None)
def test_the_mean_is_the_given_color_and_shading_keeps_its_order(color: tuple[int, ...], level: int, depth: int) -> None:
    own = np.clip(level + depth * np.linspace(-1, 1, 32)[:, None, None] + np.zeros((32, 32, 3)), 0, 255).astype(np.float32)
    fixed = FixedRegions(np.array([True, False]), np.array([color, (9, 9, 9)], np.uint8))
    found = shift_region_means(own, REGIONS, fixed)
    assert found[:, :16].reshape(-1, 3).mean(0) == pytest.approx(np.array(color), abs=0.05)
    assert found.min() >= 0 and found.max() <= 255
    assert (np.diff(found[:, :16], axis=0) >= -1e-3).all()
    assert np.array_equal(found[:, 16:], own[:, 16:])


def test_a_color_with_room_keeps_all_of_its_shading() -> None:
    own = (100 + 30 * np.linspace(-1, 1, 32)[:, None, None] + np.zeros((32, 32, 3))).astype(np.float32)
    found = shift_region_means(own, REGIONS, FixedRegions(np.array([True, True]), np.array([[128] * 3, [90] * 3], np.uint8)))
    assert np.diff(found, axis=0) == pytest.approx(np.diff(own, axis=0), abs=1e-3)


def test_lines_do_not_count_and_nothing_fixed_changes_nothing() -> None:
    ink = np.zeros((32, 32), np.bool_)
    ink[:8] = True
    own = np.full((32, 32, 3), 120, np.float32)
    own[:8] = 0
    lined = Regions(REGIONS.labels, 2, ink, REGIONS.foreground)
    found = shift_region_means(own, lined, FixedRegions(np.array([True, False]), np.array([[150] * 3, [0] * 3], np.uint8)))
    assert found[8:, :16] == pytest.approx(150, abs=0.05)
    assert np.array_equal(shift_region_means(own, lined, NO_FIXED_REGIONS), own)
