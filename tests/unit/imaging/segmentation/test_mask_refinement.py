"""Guessed masks moved to the borders of colors and lines."""

import cv2
import numpy as np
import pytest

from backend.imaging.segmentation.enclosed_areas import add_crop_edges
from backend.imaging.segmentation.mask_refinement import snap_to_colors, snap_to_lines

BOX = (60, 50, 200, 230)
"""left, top, right, bottom of the figure; a smaller box stands inside it."""
SHAPES = ((1, 1), (2, 3), (1, 300), (300, 1), (7, 1500), (64, 64))


def _blob() -> np.ndarray:
    """A round, soft guess in the middle of the box: it misses the corners."""
    y, x = np.mgrid[0:256, 0:256]
    return np.clip(320 - 3.2 * np.hypot(x - 130, y - 140), 0, 255).astype(np.uint8)


def _truth() -> np.ndarray:
    truth = np.zeros((256, 256), np.uint8)
    truth[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 255
    return truth


def _outline(strength: int = 255) -> np.ndarray:
    ink = np.zeros((256, 256), np.uint8)
    cv2.rectangle(ink, BOX[:2], BOX[2:], strength, 2)
    cv2.rectangle(ink, (90, 100), (120, 140), 255, 2)
    return ink


def _overlap(mask: np.ndarray) -> float:
    inside, truth = mask > 127, _truth() > 127
    return float((inside & truth).sum() / (inside | truth).sum())


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
    assert _overlap(snap_to_lines(_blob(), _outline())) > 0.97


def test_the_outline_belongs_to_the_foreground_and_lines_beyond_it_do_not() -> None:
    ink = _outline()
    cv2.line(ink, (200, 100), (255, 100), 255, 2)
    snapped = snap_to_lines(_blob(), ink)
    assert (snapped[60:220, 60] == 255).all() and (snapped[:, 206:] == 0).all()


def test_a_sure_no_stays_out() -> None:
    ink = _outline()
    cv2.circle(ink, (28, 28), 16, 255, 2)
    snapped = snap_to_lines(_blob(), ink)
    assert snapped[28, 28] == 0 and _overlap(snapped) > 0.95


@pytest.mark.parametrize("gap", [4, 9])
def test_a_broken_outline_is_closed(gap: int) -> None:
    ink = _outline()
    ink[120 : 120 + gap, 190:210] = 0
    assert _overlap(snap_to_lines(_blob(), ink)) > 0.95


def test_a_faint_outline_is_a_line() -> None:
    ink = _outline()
    ink[140:, 128:] = np.minimum(ink[140:, 128:], 24)
    assert _overlap(snap_to_lines(_blob(), ink)) > 0.95


def test_a_narrow_gap_in_the_foreground_stays_open_where_the_guess_says_so() -> None:
    ink, guess = _outline(), _truth()
    cv2.rectangle(ink, (122, 160), (138, 240), 0, -1)  # a slot from below, as between two legs
    cv2.polylines(ink, [np.array([(122, 230), (122, 160), (138, 160), (138, 230)], np.int32)], False, 255, 2)
    ink[228:234, 128:130] = 255
    guess[160:, 122:139] = 100
    snapped = snap_to_lines(guess, ink)
    assert (snapped[170:220, 126:135] == 0).all() and (snapped[170:220, 80:118] == 255).all()


def test_a_foreground_cut_off_above_the_edge_of_its_paper_is_closed_there() -> None:
    ink = _outline()
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
    ink, inset = _outline(), np.zeros((256, 256), np.uint8)
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


BANDS = 10


def _bands(*shares: float) -> tuple[np.ndarray, np.ndarray]:
    """A drawing cut into ten bands, so that its background is not empty; and a guess with these shares, 0 in further bands."""
    ink, guess = np.zeros((256, 256), np.uint8), np.zeros((256, 256), np.uint8)
    for k in range(BANDS):
        top, bottom = 256 * k // BANDS, 256 * (k + 1) // BANDS
        if k:
            ink[top - 1 : top + 1] = 255
        guess[top:bottom] = round(255 * shares[k]) if k < len(shares) else 0
    return ink, guess


def test_seven_tenths_decide_a_region_on_a_drawn_background() -> None:
    ink, guess = _bands(0.28, 0.32, 0.68, 0.72)
    snapped = snap_to_lines(guess, ink)
    assert [int(snapped[12 + 256 * k // BANDS, 128]) for k in range(4)] == [0, round(255 * 0.32), round(255 * 0.68), 255]


def test_65_percent_decide_an_area_of_one_color() -> None:
    colors = np.array([(200, 40, 40), (40, 60, 200), (250, 240, 200), (30, 120, 60)], np.uint8)
    band = np.searchsorted([256 * (k + 1) // BANDS for k in range(BANDS)], np.arange(256), side="right")
    rgb = colors[band % 4]
    _, guess = _bands(0.33, 0.37, 0.63, 0.67)
    snapped = snap_to_colors(guess, np.ascontiguousarray(np.broadcast_to(rgb[:, None], (256, 256, 3))))
    assert [int(snapped[12 + 256 * k // BANDS, 128]) for k in range(4)] == [0, round(255 * 0.37), round(255 * 0.63), 255]


@pytest.mark.parametrize(("rows", "paper"), [(15, True), (36, False)])
def test_paper_holds_seven_tenths_of_the_edge(rows: int, paper: bool) -> None:
    rgb = np.full((256, 256, 3), 240, np.uint8)
    rgb[-rows:] = (160, 40, 60)  # 28 or 32 percent of the edge
    nothing = np.zeros((256, 256), np.uint8)
    assert snap_to_colors(nothing, rgb)[-5, 128] == (255 if paper else 0)


def test_an_image_has_at_most_400_areas() -> None:
    side = 12 * 21
    rows, columns = np.indices((side, side)) // 12
    rgb = np.where(((rows + columns) % 2)[..., None] > 0, (200, 40, 40), (40, 60, 200)).astype(np.uint8)
    guess = np.full((side, side), 230, np.uint8)
    undecided = np.count_nonzero(snap_to_colors(guess, rgb) == 230)
    assert undecided == pytest.approx((21 * 21 - 400) * 144, rel=0.1)


def _divided_background(areas: int, corner: int = 0) -> np.ndarray:
    """The box, the background around it divided into so many areas, and one more in a corner with this side in pixels."""
    ink = _outline()
    lines = [
        ((130, 0), (130, 50)),
        ((130, 230), (130, 255)),
        ((0, 140), (60, 140)),
        ((200, 140), (255, 140)),
        ((0, 20), (60, 60)),
    ]
    for start, end in lines[: areas if areas > 1 else 0]:
        cv2.line(ink, start, end, 255, 2)
    if corner:
        cv2.rectangle(ink, (-2, 255 - corner), (corner, 260), 255, 1)
    return ink


def _is_filled(ink: np.ndarray, guess: np.ndarray) -> bool:
    """Whether the background was taken for empty: then the box, of which the guess is not sure, is filled."""
    return bool(snap_to_lines(guess, ink)[180, 150] == 255)


def _unsure() -> np.ndarray:
    return (_truth() * 0.6).astype(np.uint8)


@pytest.mark.parametrize(("areas", "filled"), [(1, True), (4, True), (5, False)])
def test_an_empty_background_is_four_areas_at_most(areas: int, filled: bool) -> None:
    assert _is_filled(_divided_background(areas), _unsure()) == filled


@pytest.mark.parametrize(("corner", "filled"), [(13, True), (16, False)])
def test_three_thousandths_of_an_image_are_an_area(corner: int, filled: bool) -> None:
    assert _is_filled(_divided_background(4, corner), _unsure()) == filled


@pytest.mark.parametrize(("side", "filled"), [(78, True), (86, False)])
def test_an_empty_background_has_a_tenth_elsewhere_at_most(side: int, filled: bool) -> None:
    ink, guess = _outline(), _unsure()
    ink[60:170, 70:190] = 0
    cv2.rectangle(ink, (80, 70), (80 + side, 70 + side), 255, 2)  # of 65536 pixels 9 or 11 percent
    guess[70 : 71 + side, 80 : 81 + side] = 0
    assert _is_filled(ink, guess) == filled


@pytest.mark.parametrize(("share", "filled"), [(0.22, True), (0.28, False)])
def test_an_empty_background_holds_less_than_a_quarter_of_the_guess(share: float, filled: bool) -> None:
    guess = _unsure()
    lost = share / (1 - share) * float(guess.sum())
    guess[:40, :] = round(lost / (40 * 256))
    assert guess[0, 0] < 255 and _is_filled(_outline(), guess) == filled


@pytest.mark.parametrize(("share", "filled"), [(0.14, False), (0.17, True)])
def test_what_lines_close_off_is_foreground_from_15_percent(share: float, filled: bool) -> None:
    guess = _truth()
    guess[100:141, 90:121] = round(255 * share)  # the small box inside the large one
    assert (snap_to_lines(guess, _outline())[120, 105] == 255) == filled


def _room_with_gap(half: int, gap: int, share: float) -> int:
    """Of a room at the right of the box with a gap in its wall and this share of the guess: what its middle becomes."""
    ink, guess = _outline(), _truth()
    right = 200 + 2 * half + 2
    cv2.rectangle(ink, (200, 140 - half - 1), (right, 140 + half + 1), 255, 2)
    ink[140 - gap // 2 : 140 - gap // 2 + gap, right - 3 : right + 4] = 0
    guess[140 - half : 140 + half, 202 : right - 1] = round(255 * share)
    return int(snap_to_lines(guess, ink)[140, 200 + half])


@pytest.mark.parametrize(("half", "filled"), [(13, False), (19, True)])
def test_a_large_room_behind_a_gap_is_foreground_unless_the_guess_is_sure(half: int, filled: bool) -> None:
    assert (_room_with_gap(half, 8, 0.3) == 255) == filled  # of 256 pixels 0.05 or 0.07


@pytest.mark.parametrize(("gap", "filled"), [(9, True), (14, False)])
def test_gaps_before_a_large_room_are_closed_up_to_four_percent(gap: int, filled: bool) -> None:
    assert (_room_with_gap(24, gap, 0.3) == 255) == filled


@pytest.mark.parametrize(("side", "columns"), [(512, 2), (480, 1)])
def test_an_outline_reaches_one_pixel_at_256_beyond_its_middle(side: int, columns: int) -> None:
    ink, guess = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint8)
    ink[:, side // 2 - 6 : side // 2 + 6] = 255
    guess[:, : side // 2] = 255
    snapped = snap_to_lines(guess, ink)
    assert int((snapped[side // 2] == 255).sum()) - side // 2 == columns
