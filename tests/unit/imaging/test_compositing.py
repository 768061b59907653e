"""Canvas-size coloring: exact flats, soft uninked borders, alpha under lines, compositing."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.imaging.compositing import composite, extend_alpha_under_lines, render_layer
from backend.imaging.region_fill import build_region_colors, sample_field
from backend.imaging.segmentation.label_upsampling import upsample_labels
from backend.imaging.types import Regions

WHITE = (255, 255, 255)


def _paint(regions: Regions, flats: np.ndarray, ink: np.ndarray, side: bool) -> np.ndarray:
    out = np.full((*ink.shape, 4), 77, np.uint8)
    upsampled = upsample_labels(regions.labels, ink)
    render_layer(upsampled, regions, build_region_colors(regions, sample_field(regions, flats, None), WHITE), ink, side, out)
    assert (out[..., 3] == 77).all()
    return out[..., :3]


def test_flats_are_exact_and_crisp_under_ink() -> None:
    labels = np.zeros((64, 64), np.int32)
    labels[:, 32:] = 1
    ink = np.zeros((256, 256), np.uint8)
    ink[:, 124:132] = 255
    regions = Regions(labels, 2, np.zeros((64, 64), np.bool_), np.array([True, True]))
    flats = np.array([[201, 33, 7], [5, 90, 251]], np.uint8)
    painted = _paint(regions, flats, ink, True)
    assert set(map(tuple, painted.reshape(-1, 3).tolist())) == {(201, 33, 7), (5, 90, 251)}


def test_borders_without_ink_are_softened_over_two_pixels() -> None:
    labels = np.zeros((64, 64), np.int32)
    labels[:, 32:] = 1
    regions = Regions(labels, 2, np.zeros((64, 64), np.bool_), np.array([True, True]))
    flats = np.array([[0, 0, 0], [200, 200, 200]], np.uint8)
    painted = _paint(regions, flats, np.zeros((256, 256), np.uint8), True)[..., 0].astype(int)
    between = (painted > 0) & (painted < 200)
    assert (between.sum(1) == 2).all()
    assert (np.diff(painted, axis=1) >= 0).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_composite_is_eight_bit_compositing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    over = rng.integers(0, 256, (9, 70, 4)).astype(np.uint8)
    under = rng.integers(0, 256, (9, 70, 4)).astype(np.uint8)
    under[..., 3] = 255
    alpha = over[..., 3:] / 255
    exact = over[..., :3] * alpha + under[..., :3] * (1 - alpha)
    mixed = composite(over, under)
    assert np.abs(mixed[..., :3] - exact).max() <= 0.5 + 1e-9
    assert (mixed[..., 3] == 255).all()


def _ring(side: int, thickness: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ink = np.zeros((side, side), np.uint8)
    cv2.circle(ink, (side // 2, side // 2), side // 3, 255, thickness, cv2.LINE_AA)
    y, x = np.mgrid[0:side, 0:side] - side // 2
    return ink, (np.hypot(x, y) < side / 3).astype(np.uint16), ink > 127


def test_the_alpha_reaches_the_middle_of_the_line_that_the_mask_touches() -> None:
    side, thickness = 600, 7
    ink, upsampled, lines = _ring(side, thickness)
    mask = np.zeros_like(ink)
    cv2.circle(mask, (side // 2, side // 2), side // 3 - 4, 255, -1, cv2.LINE_AA)  # ends at the line's inner edge
    alpha = extend_alpha_under_lines(mask, upsampled, np.array([False, True]), ink, lines)
    inked = (upsampled == 1) & (ink > 127)
    assert (alpha[inked] == 255).all()
    assert (alpha[upsampled == 0] == mask[upsampled == 0]).all()
    apart = cv2.dilate(ink, np.ones((3, 3), np.uint8)) < 16
    assert (alpha[apart] == mask[apart]).all()


def test_a_hair_of_paper_between_mask_and_line_is_closed() -> None:
    side = 600
    ink, upsampled, lines = _ring(side, 5)
    mask = np.where((upsampled == 1) & (cv2.dilate(ink, np.ones((3, 3), np.uint8)) < 16), 255, 0).astype(np.uint8)
    alpha = extend_alpha_under_lines(mask, upsampled, np.array([False, True]), ink, lines)
    assert ((alpha == 255) != (upsampled == 1)).mean() < 1e-4


def test_a_line_that_the_mask_does_not_touch_is_left_alone() -> None:
    side = 600
    ink, upsampled, lines = _ring(side, 7)
    mask = np.zeros_like(ink)
    cv2.circle(mask, (side // 2, side // 2), side // 3 - 30, 255, -1, cv2.LINE_AA)
    assert np.array_equal(extend_alpha_under_lines(mask, upsampled, np.array([False, True]), ink, lines), mask)


def test_a_large_black_area_is_not_swallowed() -> None:
    side = 400
    ink = np.full((side, side), 255, np.uint8)
    upsampled = np.ones((side, side), np.uint16)
    mask = np.zeros_like(ink)
    mask[:, :200] = 255
    alpha = extend_alpha_under_lines(mask, upsampled, np.array([False, True]), ink, ink > 0)
    assert 0 < (alpha[200, 200:] == 255).sum() <= 0.02 * side


def _extended_columns(ink_strength: int, gap: int = 0, width: int = 5) -> int:
    """How far the alpha of a mask that ends ``gap`` pixels before a line of ``width`` pixels is extended, pixels."""
    ink, mask = np.zeros((100, 100), np.uint8), np.zeros((100, 100), np.uint8)
    ink[:, 50 : 50 + width] = ink_strength
    mask[:, : 50 - gap] = 255
    labels = np.ones(ink.shape, np.uint16)
    alpha = extend_alpha_under_lines(mask, labels, np.array([False, True]), ink, np.ones(ink.shape, np.bool_))
    return int((alpha[50] == 255).sum()) - (50 - gap)


def test_ink_from_16_is_a_line_to_extend_the_alpha_under() -> None:
    assert _extended_columns(15) == 0
    assert _extended_columns(16) > 0


def test_the_alpha_crosses_one_pixel_of_paper_beside_a_line_and_no_more() -> None:
    assert _extended_columns(255, gap=1, width=1) > 1
    assert _extended_columns(255, gap=2, width=1) == 0
    assert _extended_columns(255, gap=0, width=1) == 2, "the line, and the pixel of paper right behind it"


def test_the_alpha_is_extended_by_no_more_than_half_a_bold_line() -> None:
    ink, mask = np.full((1000, 1000), 255, np.uint8), np.zeros((1000, 1000), np.uint8)
    mask[:, :500] = 255
    labels, lines = np.ones(ink.shape, np.uint16), np.ones((10, 10), np.bool_)
    alpha = extend_alpha_under_lines(mask, labels, np.array([False, True]), ink, lines)
    assert int((alpha[500] == 255).sum()) - 500 == 12 + 1, "0.012 of the shorter side, and the pixel that it starts from"
