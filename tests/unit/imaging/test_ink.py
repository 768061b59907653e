"""Any kind of line layer gives nearly the same ink."""

import numpy as np
import pytest

from backend.imaging.ink import ink_from_rgba, is_empty, is_opaque_drawing, lines_from_color


def _on(ink: np.ndarray, line: tuple[int, int, int], paper: np.ndarray) -> np.ndarray:
    coverage = ink[..., None] / 255.0
    rgb = np.rint(paper * (1 - coverage) + np.array(line) * coverage).astype(np.uint8)
    return np.dstack([rgb, np.full_like(ink, 255)])


def _clear(ink: np.ndarray, line: tuple[int, int, int]) -> np.ndarray:
    return np.dstack([np.broadcast_to(np.array(line, np.uint8), (*ink.shape, 3)), ink])


WHITE = np.array([255, 255, 255.0])
KINDS = {
    "black on white": lambda ink: _on(ink, (0, 0, 0), WHITE),
    "black on transparency": lambda ink: _clear(ink, (0, 0, 0)),
    "white on transparency": lambda ink: _clear(ink, (255, 255, 255)),
    "orange on transparency": lambda ink: _clear(ink, (255, 127, 0)),
    "orange on white": lambda ink: _on(ink, (255, 127, 0), WHITE),
    "pencil on white": lambda ink: _on(ink, (140, 140, 140), WHITE),
    "black on cream": lambda ink: _on(ink, (20, 15, 10), np.array([240, 225, 200.0])),
    "white on black": lambda ink: _on(ink, (255, 255, 255), np.zeros(3)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_ink_is_nearly_the_same_for_every_kind(kind: str, circle) -> None:
    ink = circle(side=300, thickness=3)
    found = ink_from_rgba(np.ascontiguousarray(KINDS[kind](ink))).astype(int)
    assert np.abs(found - ink).mean() < 1
    assert np.percentile(np.abs(found - ink), 99.5) <= 25


def test_anti_aliasing_is_kept(circle) -> None:
    ink = circle(side=300, thickness=2)
    found = ink_from_rgba(KINDS["orange on white"](ink))
    soft = (ink > 40) & (ink < 215)
    assert soft.sum() > 200
    assert np.abs(found[soft].astype(int) - ink[soft]).mean() < 4


def test_a_photograph_of_paper_loses_its_shade_and_noise(circle) -> None:
    ink = circle(side=400, thickness=3)
    y, x = np.mgrid[0:400, 0:400] / 400
    light = 1 - 0.4 * ((x - 0.2) ** 2 + (y - 0.1) ** 2)
    paper = light[..., None] * np.array([245, 238, 220.0])
    noise = np.random.default_rng(0).normal(0, 3, (400, 400, 3))
    rgba = _on(ink, (0, 0, 0), np.broadcast_to(paper, (400, 400, 3)))
    rgba[..., :3] = np.clip(rgba[..., :3] + noise, 0, 255)
    found = ink_from_rgba(rgba)
    assert found[ink == 0].mean() < 3
    assert found[ink == 255].mean() > 230


def test_the_same_drawing_with_white_fills_on_transparency_is_read_on_white(circle) -> None:
    ink = circle(side=300, thickness=3)
    rgba = _on(ink, (0, 0, 0), WHITE)
    rgba[:20, :, 3] = 0
    rgba[:, :20, 3] = 0
    assert np.abs(ink_from_rgba(rgba).astype(int) - ink).max() <= 2


@pytest.mark.parametrize("value", [(0, 0, 0, 0), (255, 255, 255, 0), (255, 255, 255, 255), (90, 120, 200, 255), (0, 0, 0, 255)])
def test_a_plain_layer_has_no_ink(value: tuple[int, int, int, int]) -> None:
    rgba = np.empty((80, 90, 4), np.uint8)
    rgba[:] = value
    assert is_empty(ink_from_rgba(rgba))


def test_opaque_or_not(circle) -> None:
    ink = circle()
    assert is_opaque_drawing(KINDS["black on white"](ink))
    assert not is_opaque_drawing(KINDS["black on transparency"](ink))
    assert not is_empty(ink)


def test_pseudo_lines_lie_where_colors_change() -> None:
    rgb = np.full((64, 64, 3), (200, 180, 160), np.uint8)
    rgb[:, 32:] = (90, 60, 50)
    lines = lines_from_color(rgb)
    assert (lines[:, 32] > 100).all()
    assert not lines[:, :31].any()
    assert not lines[:, 34:].any()


@pytest.mark.parametrize(("strength", "pixels", "empty"), [(47, 100, True), (48, 3, True), (48, 4, False)])
def test_four_pixels_of_ink_48_are_a_drawing(strength: int, pixels: int, empty: bool) -> None:
    ink = np.zeros(400, np.uint8)
    ink[:pixels] = strength
    assert is_empty(ink.reshape(20, 20)) == empty


@pytest.mark.parametrize(("alpha", "pixels", "opaque"), [(250, 9900, True), (250, 9899, False), (249, 10000, False)])
def test_99_percent_opaque_pixels_hide_what_lies_below(alpha: int, pixels: int, opaque: bool) -> None:
    rgba = np.zeros((10000, 4), np.uint8)
    rgba[:pixels, 3] = alpha
    assert is_opaque_drawing(rgba.reshape(100, 100, 4)) == opaque


def _on_white(*grays: tuple[int, int]) -> np.ndarray:
    """A white page (100, 100, 4) with so many pixels of each gray."""
    page = np.full((10000, 4), 255, np.uint8)
    start = 0
    for gray, pixels in grays:
        page[start : start + pixels, :3] = gray
        start += pixels
    return page.reshape(100, 100, 4)


def test_a_pencil_is_a_full_line_from_a_quarter_of_black() -> None:
    assert ink_from_rgba(_on_white((255 - 51, 500)))[0, 0] == round(255 * 51 / 255 / 0.25)
    assert ink_from_rgba(_on_white((255 - 64, 500)))[0, 0] == 255


def test_what_is_darker_than_8_percent_counts_for_the_strongest_line() -> None:
    counted = ink_from_rgba(_on_white((255 - 22, 198), (0, 2)))  # 0.086 of black: the drawing's own strength
    ignored = ink_from_rgba(_on_white((255 - 19, 198), (0, 2)))  # 0.075 of black: noise of the paper
    assert abs(int(counted[0, 0]) - 88) <= 1 and ignored[0, 0] == 19


@pytest.mark.parametrize(("bright", "dark", "ink"), [(200, 150, 80), (20, 10, 80), (50, 40, 64), (250, 50, 255)])
def test_lines_from_color_are_the_fall_of_gray_by_what_is_around(bright: int, dark: int, ink: int) -> None:
    rgb = np.full((9, 9, 3), bright, np.uint8)
    rgb[4, 4] = dark
    lines = lines_from_color(rgb)  # 320 * fall / gray, gray being 40 at least
    assert lines[4, 4] == ink and np.count_nonzero(lines) == 1


def _page(cells: np.ndarray) -> np.ndarray:
    """A page (240, 240, 4) of 24 x 24 cells of these grays, with a black bar over one of a hundred pixels."""
    gray = np.repeat(np.repeat(cells.astype(np.uint8), 10, 0), 10, 1)
    gray[118:121, 20:220] = 0
    return np.dstack([gray] * 3 + [np.full_like(gray, 255)])


def _ink_on(paper: float, gray: int) -> float:
    """What ink a gray has on paper, when the strongest line is black and 6 percent are noise."""
    return 255 * (1 - gray / paper - 0.06) / (1 - 0.06)


@pytest.mark.parametrize(("gray", "is_paper"), [(173, False), (179, True)])
def test_what_is_darker_than_the_paper_by_12_percent_is_a_solid(gray: int, is_paper: bool) -> None:
    cells = np.full((24, 24), 200)
    cells[1::3, 1::3] = gray  # a ninth of the page, all over it
    paper = 200 - (200 - gray) / 9 if is_paper else 200
    assert abs(int(ink_from_rgba(_page(cells))[15, 15]) - _ink_on(paper, gray)) < 0.8


def test_paper_is_the_brightest_tenth_of_a_cell() -> None:
    page = _page(np.full((24, 24), 190))
    rows, columns = np.indices((240, 240))
    strokes = (columns + 10 * (rows % 2)) % 20
    page[strokes < 4, :3], page[strokes == 9, :3] = 200, 210  # 20 percent, and 5 that are brighter still
    page[:2, :2, :3] = 150
    assert abs(int(ink_from_rgba(page)[0, 0]) - _ink_on(200, 150)) < 1.5
