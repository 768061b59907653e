"""Guessed masks moved to the borders of colors and lines."""

import cv2
import numpy as np
import pytest

from backend.imaging.segmentation.enclosed_areas import add_crop_edges
from backend.imaging.segmentation.mask_refinement import snap_to_colors, snap_to_lines
from tests.unit.imaging.segmentation.boxes import BOX, outline, truth

SHAPES = ((1, 1), (2, 3), (1, 300), (300, 1), (7, 1500), (64, 64))


def _blob() -> np.ndarray:
    """A round, soft guess in the middle of the box: it misses the corners."""
    y, x = np.mgrid[0:256, 0:256]
    return np.clip(320 - 3.2 * np.hypot(x - 130, y - 140), 0, 255).astype(np.uint8)


def _overlap(mask: np.ndarray) -> float:
    inside, box = mask > 127, truth() > 127
    return float((inside & box).sum() / (inside | box).sum())


def test_a_foreground_on_plain_paper_is_everything_that_is_not_paper() -> None:
    rgb = np.full((256, 256, 3), (250, 248, 240), np.uint8)
    rgb[BOX[1] : BOX[3], BOX[0] : BOX[2]] = (180, 40, 60)
    rgb[100:140, 90:120] = (40, 60, 160)
    assert _overlap(_blob()) < 0.9
    assert _overlap(snap_to_colors(_blob(), rgb)) > 0.97
    assert _overlap(snap_to_colors(np.zeros((256, 256), np.uint8), rgb)) > 0.97


def test_a_background_of_several_colors_leaves_undecided_areas_alone() -> None:
    rgb = np.zeros((256, 256, 3), np.uint8)
    rgb[:, :128], rgb[:, 128:] = (200, 200, 120), (60, 90, 160)
    soft = np.full((256, 256), 120, np.uint8)
    np.testing.assert_array_equal(snap_to_colors(soft, rgb), soft)


def test_a_drawing_on_empty_background_is_filled_to_its_outline() -> None:
    assert _overlap(snap_to_lines(_blob(), outline())) > 0.97


def test_the_outline_belongs_to_the_foreground_and_lines_beyond_it_do_not() -> None:
    ink = outline()
    cv2.line(ink, (200, 100), (255, 100), 255, 2)
    snapped = snap_to_lines(_blob(), ink)
    assert (snapped[60:220, 60] == 255).all() and (snapped[:, 206:] == 0).all()


def test_a_sure_no_stays_out() -> None:
    ink = outline()
    cv2.circle(ink, (28, 28), 16, 255, 2)
    snapped = snap_to_lines(_blob(), ink)
    assert snapped[28, 28] == 0 and _overlap(snapped) > 0.95


@pytest.mark.parametrize("gap", [4, 9])
def test_a_broken_outline_is_closed(gap: int) -> None:
    ink = outline()
    ink[120 : 120 + gap, 190:210] = 0
    assert _overlap(snap_to_lines(_blob(), ink)) > 0.95


def test_a_faint_outline_is_a_line() -> None:
    ink = outline()
    ink[140:, 128:] = np.minimum(ink[140:, 128:], 24)
    assert _overlap(snap_to_lines(_blob(), ink)) > 0.95


def test_a_narrow_gap_in_the_foreground_stays_open_where_the_guess_says_so() -> None:
    ink, guess = outline(), truth()
    cv2.rectangle(ink, (122, 160), (138, 240), 0, -1)  # a slot from below, as between two legs
    cv2.polylines(ink, [np.array([(122, 230), (122, 160), (138, 160), (138, 230)], np.int32)], False, 255, 2)
    ink[228:234, 128:130] = 255
    guess[160:, 122:139] = 100
    snapped = snap_to_lines(guess, ink)
    assert (snapped[170:220, 126:135] == 0).all() and (snapped[170:220, 80:118] == 255).all()


def test_a_foreground_cut_off_above_the_edge_of_its_paper_is_closed_there() -> None:
    ink = outline()
    ink[BOX[3] - 3 : BOX[3] + 3, 110:136] = 0  # light clothes: the line where they were cut is broken
    assert _overlap(snap_to_lines(_blob(), ink)) > 0.95
    assert (add_crop_edges(ink)[BOX[3] + 1, 62:198] == 255).all()


def test_a_character_cut_off_by_the_image_has_background_on_both_sides() -> None:
    ink, guess = np.zeros((256, 256), np.uint8), np.zeros((256, 256), np.uint8)
    cv2.polylines(ink, [np.array([(10, 255), (60, 120), (128, 20), (200, 120), (246, 255)], np.int32)], False, 255, 2)
    cv2.circle(guess, (128, 170), 100, 255, -1)
    snapped = snap_to_lines(guess, ink)
    assert (snapped[250, 25:230] == 255).all() and (snapped[:100, :50] == 0).all() and (snapped[:100, 215:] == 0).all()


def test_a_drawn_background_keeps_a_guess_that_lines_do_not_decide() -> None:
    ink, soft = np.zeros((256, 256), np.uint8), np.full((256, 256), 110, np.uint8)
    for at in (64, 128, 192):
        cv2.line(ink, (0, at), (255, at), 255, 2)
    soft[:40] = 0
    np.testing.assert_array_equal(snap_to_lines(soft, ink)[70:], soft[70:])


def test_on_a_drawn_background_a_region_goes_where_most_of_it_is() -> None:
    ink, inset = outline(), np.zeros((256, 256), np.uint8)
    inset[BOX[1] + 10 : BOX[3] - 10, BOX[0] + 10 : BOX[2] - 10] = 255
    for at in range(0, 256, 20):
        cv2.line(ink, (0, at), (58, at), 255, 2)
        cv2.line(ink, (202, at), (255, at), 255, 2)
    assert _overlap(inset) < 0.8 and _overlap(snap_to_lines(inset, ink)) > 0.97


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("strength", [0, 255])
@pytest.mark.parametrize("guessed", [0, 90, 255])
def test_any_image_has_a_mask(shape: tuple[int, int], strength: int, guessed: int) -> None:
    ink, guess = np.full(shape, strength, np.uint8), np.full(shape, guessed, np.uint8)
    for snapped in (snap_to_lines(guess, ink), snap_to_colors(guess, np.dstack([ink] * 3))):
        assert snapped.shape == shape and snapped.dtype == np.uint8


@pytest.mark.parametrize("shape", SHAPES)
def test_noise_has_a_mask(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    ink, guess = rng.integers(0, 256, (2, *shape), np.uint8)
    assert snap_to_lines(guess, ink).shape == shape


def test_blank_paper_without_a_guess_has_no_foreground() -> None:
    blank = np.zeros((256, 256), np.uint8)
    assert not snap_to_lines(blank, blank).any()
    assert (snap_to_lines(np.full_like(blank, 255), blank) == 255).all()
