"""A reference cut into regions of its own colors."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.imaging.segmentation.palette import COARSE, reference_regions


def _patches() -> tuple[np.ndarray, np.ndarray]:
    rgb = np.full((96, 128, 3), (250, 250, 245), np.uint8)
    rgb[10:60, 10:50] = (200, 40, 30)
    rgb[10:60, 50:90] = (30, 60, 190)
    rgb[60:90, 10:90] = (240, 200, 170)
    mask = np.zeros((96, 128), np.uint8)
    mask[10:90, 10:90] = 255
    return rgb, mask


def test_flat_patches_keep_their_exact_colors() -> None:
    rgb, mask = _patches()
    found = reference_regions(rgb, mask, 112)
    painted = found.palette[found.palette_index][found.labels]
    assert (found.labels >= 0).all()
    assert (np.abs(painted.astype(int) - rgb).max(-1) > 0).mean() < 0.01
    assert len(found.palette) == 4
    assert found.palette_foreground.sum() == 3


def test_figure_and_background_share_no_color() -> None:
    rgb, mask = _patches()
    rgb[:, 100:] = (200, 40, 30)  # the figure's red in the background, too
    found = reference_regions(rgb, mask, 112)
    assert sum(np.abs(c.astype(int) - (200, 40, 30)).max() < 3 for c in found.palette) == 2
    inside = found.palette_foreground[found.palette_index][found.labels]
    assert (inside != (mask > 127)).mean() < 0.01


@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
@settings(max_examples=15, deadline=None)
def test_limits_hold_for_noise(seed: int, limit: int) -> None:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (40, 48, 3)).astype(np.uint8)
    mask = np.where(rng.random((40, 48)) < rng.random(), 255, 0).astype(np.uint8)
    found = reference_regions(rgb, mask, limit)
    regions = len(found.palette_index)
    assert 1 <= regions <= limit
    assert np.array_equal(np.unique(found.labels[found.labels >= 0]), np.arange(regions))
    assert found.labels.min() >= -1
    assert found.palette_index.min() >= 0 and found.palette_index.max() < len(found.palette) <= COARSE.colors
    assert found.palette_foreground.shape == (len(found.palette),)


def test_largest_first_and_deterministic() -> None:
    rgb, mask = _patches()
    one, two = reference_regions(rgb, mask, 2), reference_regions(rgb, mask, 2)
    assert np.array_equal(one.labels, two.labels)
    sizes = [(one.labels == k).sum() for k in range(2)]
    assert sizes[0] >= sizes[1]
    assert (one.labels == -1).any()
