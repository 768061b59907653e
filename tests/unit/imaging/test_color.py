"""Color conversions."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2lab

from backend.imaging.color import lab_from_rgb, on_white, rgb_from_lab, to_bytes

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
