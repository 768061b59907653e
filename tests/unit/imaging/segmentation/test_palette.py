"""A reference cut into regions of its own colors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.imaging.color import lab_from_rgb
from backend.imaging.segmentation.palette import COARSE, FINE, Fineness, reference_regions


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


def test_foreground_and_background_share_no_color() -> None:
    rgb, mask = _patches()
    rgb[:, 100:] = (200, 40, 30)  # the foreground's red in the background, too
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


def _grays(*levels: int, side: int = 96) -> np.ndarray:
    """Stripes of equal width, one of each gray."""
    row = np.repeat(np.array(levels, np.uint8), side // len(levels) + 1)[:side]
    return np.repeat(np.tile(row, (side, 1))[..., None], 3, -1)


def _palette_size(rgb: np.ndarray, fineness: Fineness = COARSE) -> int:
    return len(reference_regions(rgb, np.full(rgb.shape[:2], 255, np.uint8), 400, fineness).palette)


@pytest.mark.parametrize(("fineness", "radius"), [(COARSE, 9.0), (FINE, 6.0)])
def test_colors_within_the_radius_in_lab_are_one(fineness: Fineness, radius: float) -> None:
    lightness = lab_from_rgb(np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1))[:, 0]
    other = int(np.argmax(lightness >= lightness[120] + radius))
    assert _palette_size(_grays(120, other - 1), fineness) == 1
    assert _palette_size(_grays(120, other + 1), fineness) == 2


@pytest.mark.parametrize(("fineness", "limit"), [(COARSE, 28), (FINE, 48)])
def test_a_palette_holds_so_many_colors_and_half_of_them_for_each_of_two(fineness: Fineness, limit: int) -> None:
    levels = np.array([0, 80, 165, 250], np.uint8)
    colors = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(8, 8, 3)
    rgb = colors.repeat(24, 0).repeat(24, 1)
    assert _palette_size(rgb, fineness) == limit
    mask = np.zeros(rgb.shape[:2], np.uint8)
    mask[:96] = 255
    found = reference_regions(rgb, mask, 400, fineness)
    per_half = min(32, limit // 2)
    assert found.palette_foreground.sum() == per_half and (~found.palette_foreground).sum() == per_half


def _with_patch(rgb: np.ndarray, height: int, width: int) -> np.ndarray:
    rgb = rgb.copy()
    rgb[10 : 10 + height, 10 : 10 + width] = (250, 20, 20)
    return rgb


@pytest.mark.parametrize(("size", "taken"), [((8, 9), False), ((8, 10), True)])
def test_a_rare_color_needs_12_of_10000_pixels(size: tuple[int, int], taken: bool) -> None:
    rgb = _with_patch(_grays(0, 90, 180, side=200), *size)  # of 40000; the rim of one pixel hardly counts
    assert _palette_size(rgb) == (4 if taken else 3)


def test_three_colors_are_taken_however_rare_they_are() -> None:
    assert _palette_size(_with_patch(_grays(0, 90, side=200), 5, 5)) == 3
    assert _palette_size(_with_patch(_grays(0, 90, 180, side=200), 5, 5)) == 3


@pytest.mark.parametrize(("size", "kept"), [((3, 4), False), ((4, 4), True)])
def test_a_region_of_a_reference_has_ten_pixels(size: tuple[int, int], kept: bool) -> None:
    rgb = np.full((256, 256, 3), 200, np.uint8)
    rgb[:, 128:] = (40, 60, 160)
    rgb[100 : 100 + size[0], 50 : 50 + size[1]] = (40, 60, 160)  # the median filter takes its four corners
    found = reference_regions(rgb, np.full((256, 256), 255, np.uint8), 400)
    assert len(found.palette_index) == (3 if kept else 2)
