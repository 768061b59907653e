"""Color conversions and masks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2lab

from backend.imaging.color import lab_from_rgb, on_white, rgb_from_lab, to_bytes
from backend.imaging.masks import has_real_transparency, is_empty_mask, resize_mask

ALL = np.stack(np.meshgrid(*[np.arange(0, 256, 15)] * 3), -1).reshape(-1, 1, 3).astype(np.uint8)


def test_lab_agrees_with_scikit_image_and_comes_back() -> None:
    lab = lab_from_rgb(ALL)
    assert np.abs(lab - rgb2lab(ALL)).max() < 0.5
    assert np.abs(to_bytes(rgb_from_lab(lab)).astype(int) - ALL).max() <= 1
    assert np.allclose(lab_from_rgb(ALL.astype(np.float32) / 255), lab, atol=1e-3)


@given(st.integers(0, 255), st.integers(0, 255))
@settings(deadline=None)
def test_on_white_is_rounded_once(value: int, alpha: int) -> None:
    pixel = np.array([[[value, value, value, alpha]]], np.uint8)
    exact = (value * alpha + 255 * (255 - alpha)) / 255
    assert abs(int(on_white(pixel)[0, 0, 0]) - exact) <= 0.5


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
