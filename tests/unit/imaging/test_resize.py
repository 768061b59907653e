"""Sizes and letterboxes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.imaging.resize import (
    fit,
    fitted_size,
    letterbox,
    letterbox_box,
    letterbox_labels,
)

sides = st.integers(1, 9000)


@given(sides, sides, st.integers(1, 2048))
def test_fitted_sizes_never_grow_and_keep_the_aspect(width: int, height: int, longest: int) -> None:
    w, h = fitted_size(width, height, longest)
    assert 1 <= w <= width and 1 <= h <= height and max(w, h) <= longest
    if max(width, height) > longest and min(w, h) > 1:
        scale = longest / max(width, height)
        assert abs(w - width * scale) <= 0.5 and abs(h - height * scale) <= 0.5


@given(sides, sides, st.integers(1, 1024))
def test_the_box_lies_in_the_square_and_touches_two_sides(width: int, height: int, side: int) -> None:
    box = letterbox_box(width, height, side)
    assert box.left >= 0 and box.top >= 0
    assert box.left + box.width <= side and box.top + box.height <= side
    assert max(box.width, box.height) == side


@pytest.mark.parametrize("shape", [(40, 100, 3), (100, 40, 3), (64, 64), (300, 20)])
def test_letterbox_fills_what_the_image_leaves(shape: tuple[int, ...]) -> None:
    image = np.full(shape, 200, np.uint8)
    square, box = letterbox(image, 64, 7)
    assert square.shape == (64, 64, *shape[2:]) and square.dtype == np.uint8
    inside = np.zeros((64, 64), np.bool_)
    inside[box.top : box.top + box.height, box.left : box.left + box.width] = True
    assert (square[inside] == 200).all() and (square[~inside] == 7).all()


def test_labels_are_never_mixed() -> None:
    labels = np.random.default_rng(0).choice(np.array([3, 900, 40], np.int32), (90, 33))
    square, box = letterbox_labels(labels, 48, -1)
    assert set(np.unique(square).tolist()) <= {-1, 3, 40, 900}
    same, _ = letterbox_labels(labels[:33, :33], 33, -1)
    assert np.array_equal(same, labels[:33, :33])
    assert (square[:, : box.left] == -1).all()


def test_fit_keeps_small_images() -> None:
    small = np.zeros((20, 30, 3), np.uint8)
    assert fit(small, 512) is small
    assert fit(np.zeros((1024, 512, 3), np.uint8), 512).shape == (512, 256, 3)
