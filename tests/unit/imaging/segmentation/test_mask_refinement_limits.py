"""How much of a guess decides, and which gaps, rooms and backgrounds count."""

import cv2
import numpy as np
import pytest

from backend.imaging.segmentation.mask_refinement import snap_to_colors, snap_to_lines
from tests.unit.imaging.segmentation.boxes import outline, truth

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
    ink = outline()
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
    return (truth() * 0.6).astype(np.uint8)


@pytest.mark.parametrize(("areas", "filled"), [(1, True), (4, True), (5, False)])
def test_an_empty_background_is_four_areas_at_most(areas: int, filled: bool) -> None:
    assert _is_filled(_divided_background(areas), _unsure()) == filled


@pytest.mark.parametrize(("corner", "filled"), [(13, True), (16, False)])
def test_three_thousandths_of_an_image_are_an_area(corner: int, filled: bool) -> None:
    assert _is_filled(_divided_background(4, corner), _unsure()) == filled


@pytest.mark.parametrize(("side", "filled"), [(78, True), (86, False)])
def test_an_empty_background_has_a_tenth_elsewhere_at_most(side: int, filled: bool) -> None:
    ink, guess = outline(), _unsure()
    ink[60:170, 70:190] = 0
    cv2.rectangle(ink, (80, 70), (80 + side, 70 + side), 255, 2)  # of 65536 pixels 9 or 11 percent
    guess[70 : 71 + side, 80 : 81 + side] = 0
    assert _is_filled(ink, guess) == filled


@pytest.mark.parametrize(("share", "filled"), [(0.22, True), (0.28, False)])
def test_an_empty_background_holds_less_than_a_quarter_of_the_guess(share: float, filled: bool) -> None:
    guess = _unsure()
    lost = share / (1 - share) * float(guess.sum())
    guess[:40, :] = round(lost / (40 * 256))
    assert guess[0, 0] < 255 and _is_filled(outline(), guess) == filled


@pytest.mark.parametrize(("share", "filled"), [(0.14, False), (0.17, True)])
def test_what_lines_close_off_is_foreground_from_15_percent(share: float, filled: bool) -> None:
    guess = truth()
    guess[100:141, 90:121] = round(255 * share)  # the small box inside the large one
    assert (snap_to_lines(guess, outline())[120, 105] == 255) == filled


def _room_with_gap(half: int, gap: int, share: float) -> int:
    """Of a room at the right of the box with a gap in its upper wall and this share of the guess: what its middle becomes."""
    ink, guess = outline(), truth()
    right, top = 200 + 2 * half + 2, 140 - half - 1
    cv2.rectangle(ink, (200, top), (right, 140 + half + 1), 255, 2)
    ink[top - 3 : top + 4, 201 + half - gap // 2 : 201 + half - gap // 2 + gap] = 0
    guess[140 - half : 140 + half, 202 : right - 1] = round(255 * share)
    return int(snap_to_lines(guess, ink)[140, 200 + half])


@pytest.mark.parametrize(("half", "filled"), [(13, False), (19, True)])
def test_a_large_room_behind_a_gap_is_foreground_unless_the_guess_is_sure(half: int, filled: bool) -> None:
    assert (_room_with_gap(half, 8, 0.3) == 255) == filled  # of 256 pixels 0.05 or 0.07


@pytest.mark.parametrize(("gap", "filled"), [(9, True), (12, False)])
def test_gaps_before_a_large_room_are_closed_up_to_four_percent(gap: int, filled: bool) -> None:
    assert (_room_with_gap(24, gap, 0.3) == 255) == filled


@pytest.mark.parametrize(("side", "columns"), [(512, 2), (480, 1)])
def test_an_outline_reaches_one_pixel_at_256_beyond_its_middle(side: int, columns: int) -> None:
    ink, guess = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint8)
    ink[:, side // 2 - 6 : side // 2 + 6] = 255
    guess[:, : side // 2] = 255
    snapped = snap_to_lines(guess, ink)
    assert int((snapped[side // 2] == 255).sum()) - side // 2 == columns


@pytest.mark.parametrize(("gap", "closed"), [(4, True), (5, False)])
def test_gaps_are_closed_up_to_two_percent(gap: int, closed: bool) -> None:
    ink, guess = _bands(0, 0, 0, 0.8)
    border = 256 * 4 // BANDS
    ink[border - 2 : border + 2, 128 : 128 + gap] = 0  # through it two bands are one, of which 0.4 is foreground
    assert snap_to_lines(guess, ink)[border - 12, 30] == (255 if closed else 204)


@pytest.mark.parametrize(("side", "scaled"), [(512, False), (520, True)])
def test_drawings_are_refined_at_512(side: int, scaled: bool) -> None:
    ink, guess = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint8)
    cv2.circle(ink, (side // 2, side // 2), side // 3, 255, 5)
    cv2.circle(guess, (side // 2, side // 2), side // 3, 255, -1)
    assert (len(np.unique(snap_to_lines(guess, ink))) > 2) == scaled, "the edge is soft where a mask was enlarged"


@pytest.mark.parametrize(("side", "scaled"), [(256, False), (264, True)])
def test_images_are_refined_at_256(side: int, scaled: bool) -> None:
    rgb, guess = np.full((side, side, 3), 240, np.uint8), np.zeros((side, side), np.uint8)
    cv2.rectangle(rgb, (60, 60), (150, 151), (160, 40, 60), -1)
    assert (len(np.unique(snap_to_colors(guess, rgb))) > 2) == scaled
