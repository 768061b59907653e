"""The warp of references: drawn within its ranges."""

import numpy as np
import pytest

from backend.imaging.thin_plate_warp import random_warp


def test_points_and_shifts_are_drawn_from_the_published_ranges() -> None:
    rng = np.random.default_rng(1)
    warps = [random_warp(rng) for _ in range(3000)]
    points = np.array([(warp.first, warp.second) for warp in warps])
    shifts = np.array([(warp.first_shift, warp.second_shift) for warp in warps])
    assert points.min(0) == pytest.approx(0.3) and points.max(0) == pytest.approx(0.7)
    assert shifts.min(0) == pytest.approx(-0.25) and shifts.max(0) == pytest.approx(0.25)
    assert (np.abs((points + shifts)[:, 0] - (points + shifts)[:, 1]) > 0.005).all()
