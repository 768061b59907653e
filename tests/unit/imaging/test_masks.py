"""Masks: empty ones, transparency, sizes."""

import numpy as np
import pytest

from backend.imaging.masks import has_real_transparency, is_empty_mask, resize_mask, unite_masks


def test_transparency_must_separate_something() -> None:
    rgba = np.full((100, 100, 4), 255, np.uint8)
    assert not has_real_transparency(rgba)
    rgba[0, :10, 3] = 0
    assert not has_real_transparency(rgba)
    rgba[:50, :, 3] = 0
    assert has_real_transparency(rgba)
    rgba[..., 3] = 0
    assert not has_real_transparency(rgba)


@pytest.mark.parametrize("size", [(30, 20), (200, 150)])
def test_masks_resize_to_the_size_asked(size: tuple[int, int]) -> None:
    mask = np.zeros((60, 80), np.uint8)
    mask[:, :40] = 255
    small = resize_mask(mask, *size)
    assert small.shape == size[::-1]
    assert abs(small.mean() / 255 - 0.5) < 0.02


def test_empty_masks() -> None:
    assert is_empty_mask(np.full((9, 9), 100, np.uint8))
    assert not is_empty_mask(np.full((9, 9), 200, np.uint8))


@pytest.mark.parametrize(("alpha", "pixels", "separates"), [(31, 50, True), (31, 49, False), (32, 5000, False)])
def test_half_a_percent_of_clear_pixels_is_transparency(alpha: int, pixels: int, separates: bool) -> None:
    rgba = np.full((10000, 4), 255, np.uint8)
    rgba[:pixels, 3] = alpha
    assert has_real_transparency(rgba.reshape(100, 100, 4)) == separates


@pytest.mark.parametrize(("value", "pixels", "empty"), [(127, 81, True), (128, 3, True), (128, 4, False)])
def test_four_pixels_at_half_are_a_mask(value: int, pixels: int, empty: bool) -> None:
    mask = np.zeros(81, np.uint8)
    mask[:pixels] = value
    assert is_empty_mask(mask.reshape(9, 9)) == empty


def test_the_union_of_masks_is_the_largest_value_of_each_pixel() -> None:
    masks = np.random.default_rng(0).integers(0, 256, (3, 20, 30), np.uint8)
    before = masks.copy()
    united = unite_masks(*masks)
    assert united.dtype == np.uint8 and np.array_equal(united, masks.max(axis=0))
    assert np.array_equal(unite_masks(masks[0]), masks[0])
    united[:] = 7
    assert np.array_equal(masks, before), "the masks stay as they are"
