"""Color at working size: no bleeding, no ink baked in, a background without holes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.imaging.color import lab_from_rgb, rgb_from_lab
from backend.imaging.region_fill import build_region_colors, fill_laplace, interpolate_in_regions, sample_field
from backend.imaging.types import Regions

WHITE = (255, 255, 255)


def _halves(size: int = 96) -> Regions:
    labels = np.zeros((size, size), np.int32)
    labels[:, size // 2 :] = 1
    ink = np.zeros((size, size), np.bool_)
    ink[:, size // 2 - 1 : size // 2 + 1] = True
    return Regions(labels, 2, ink, np.array([True, False]))


FLATS = np.array([[200, 60, 40], [30, 90, 210]], np.uint8)


def _field(regions: Regions, cells: int) -> np.ndarray:
    image = FLATS.astype(np.float32)[regions.labels] / 255
    step = regions.labels.shape[0] // cells
    return image.reshape(cells, step, cells, step, 3).mean((1, 3))


@pytest.mark.parametrize("cells", [6, 12, 32])
def test_nothing_bleeds_over_a_border(cells: int) -> None:
    regions = _halves()
    field = _field(regions, cells)
    field = (np.roll(field, 1, 1) + field + np.roll(field, -1, 1)) / 3  # a model's field is blurred over its cells
    field[:, [0, -1]] = FLATS.astype(np.float32)[[0, 1]] / 255
    out = interpolate_in_regions(regions, FLATS, field.astype(np.float32)) * 255
    assert np.abs(out - FLATS[regions.labels]).max() < 12  # of 170


def test_dark_ink_in_the_field_does_not_darken_the_color() -> None:
    regions = _halves()
    field = _field(regions, 24)
    field[:, 11:13] *= 0.2
    out = interpolate_in_regions(regions, FLATS, field) * 255
    assert np.abs(out - FLATS[regions.labels]).max() < 4


def test_shading_inside_a_region_is_kept_and_smooth() -> None:
    size = 128
    regions = Regions(np.zeros((size, size), np.int32), 1, np.zeros((size, size), np.bool_), np.array([True]))
    ramp = np.linspace(0.2, 0.8, 32, dtype=np.float32)
    field = np.ascontiguousarray(np.broadcast_to(ramp[:, None, None], (32, 32, 3)))
    out = interpolate_in_regions(regions, np.array([[128, 128, 128]], np.uint8), field)
    expected = np.interp((np.arange(size) + 0.5) / 4 - 0.5, np.arange(32), ramp)
    assert np.abs(out[8:-8, :, 0] - expected[8:-8, None]).max() < 0.02
    assert np.abs(np.diff(out[..., 0], axis=0)).max() < 0.02


def test_a_region_smaller_than_a_cell_keeps_its_flat_color() -> None:
    regions = _halves()
    labels = regions.labels.copy()
    labels[40:43, 20:23] = 2
    tiny = Regions(labels, 3, regions.ink, np.array([True, False, True]))
    flats = np.vstack([FLATS, [[20, 220, 30]]]).astype(np.uint8)
    out = interpolate_in_regions(tiny, flats, _field(regions, 8)) * 255
    assert np.abs(out[40:43, 20:23] - (20, 220, 30)).max() < 4


def test_a_field_finer_than_the_drawing_is_taken_too() -> None:
    regions = _halves(16)
    image = np.repeat(np.repeat(FLATS.astype(np.float32)[regions.labels] / 255, 4, 0), 4, 1)
    out = interpolate_in_regions(regions, FLATS, image) * 255
    assert np.abs(out - FLATS[regions.labels])[:, [0, 1, 2, 3, -1, -2, -3, -4]].max() < 2


@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(2, 40))
@settings(max_examples=25, deadline=None)
def test_the_smooth_filling_keeps_what_is_known_and_stays_within_it(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.random((height, width, 3)).astype(np.float32) * 255
    known = rng.random((height, width)) < rng.random()
    known[rng.integers(0, height), rng.integers(0, width)] = True
    filled = fill_laplace(values, known)
    assert np.array_equal(filled[known], values[known])
    low, high = values[known].min(0), values[known].max(0)
    assert (filled >= low - 1e-2).all() and (filled <= high + 1e-2).all()


def test_the_smooth_filling_is_harmonic_between_two_walls() -> None:
    values = np.zeros((64, 64, 3), np.float32)
    known = np.zeros((64, 64), np.bool_)
    known[:, [0, 63]] = True
    values[:, 63] = 255
    filled = fill_laplace(values, known)
    assert np.abs(filled[32, :, 0] - np.linspace(0, 255, 64)).max() < 12


def test_the_background_behind_a_foreground_shows_no_seam() -> None:
    size = 128
    y, x = np.mgrid[0:size, 0:size] - size / 2
    labels = (np.hypot(x, y) < 40).astype(np.int32)
    regions = Regions(labels, 2, np.zeros((size, size), np.bool_), np.array([False, True]))
    colors = build_region_colors(
        regions, sample_field(regions, np.array([[90, 140, 200], [250, 10, 10]], np.uint8), None), WHITE
    )
    assert np.abs(colors.background - (90, 140, 200)).max() < 0.5
    assert np.abs(colors.foreground - (250, 10, 10)).max() < 0.5


def test_a_gap_under_an_arm_does_not_color_the_background() -> None:
    labels = np.full((200, 200), 1, np.int32)
    labels[:30] = 0
    labels[100:106, 100:106] = 2
    regions = Regions(labels, 3, np.zeros((200, 200), np.bool_), np.array([False, True, False]))
    colors = build_region_colors(
        regions, sample_field(regions, np.array([[10, 20, 30], [0, 0, 0], [255, 255, 0]], np.uint8), None), WHITE
    )
    assert np.abs(colors.background - (10, 20, 30)).max() < 0.5
    assert (colors.image[102, 102] == (255, 255, 0)).all()


def test_all_foreground_has_paper_behind_it_and_no_foreground_is_sane() -> None:
    regions = _halves()
    whole = Regions(regions.labels, 2, regions.ink, np.array([True, True]))
    assert (build_region_colors(whole, sample_field(whole, FLATS, None), (240, 230, 220)).background == (240, 230, 220)).all()
    nothing = Regions(regions.labels, 2, regions.ink, np.array([False, False]))
    colors = build_region_colors(nothing, sample_field(nothing, FLATS, None), WHITE)
    assert np.array_equal(colors.foreground, colors.image) and np.array_equal(colors.background, colors.image)


FIELD_COLOR, OTHER_COLOR, FLAT_COLOR = (0.8, 0.5, 0.4), (0.2, 0.4, 0.6), (0.3, 0.6, 0.3)
FLAT = np.array([[round(255 * c) for c in FLAT_COLOR]], np.uint8)


def _lab(color: tuple[float, ...]) -> np.ndarray:
    return lab_from_rgb(np.array([color], np.float32))[0]


def _one_region(cell: int, columns: int, ink: np.ndarray) -> Regions:
    return Regions(np.zeros((cell, cell * columns), np.int32), 1, ink, np.array([True]))


@pytest.mark.parametrize("with_ink", [False, True])
def test_the_color_of_one_cell_is_weighed_against_the_flat_color(with_ink: bool) -> None:
    ink = np.zeros((8, 8), np.bool_)
    ink[4, 4] = with_ink  # with its rim 9 of 64 pixels
    trust = np.exp(-12 * 9 / 64) if with_ink else 1.0
    field = np.array([[FIELD_COLOR]], np.float32)
    lab, flat = _lab(FIELD_COLOR), lab_from_rgb(FLAT)[0]
    mean = (trust * lab + 0.5 * flat) / (trust + 0.5)
    expected = rgb_from_lab(((trust * lab + 0.05 * mean) / (trust + 0.05))[None].astype(np.float32))[0]
    out = interpolate_in_regions(_one_region(8, 1, ink), FLAT, field)
    assert np.abs(out - expected).max() < 3e-4


@pytest.mark.parametrize(("cell", "clean"), [(8, False), (10, True)])
def test_a_cell_with_ink_takes_the_color_of_the_clean_cell_beside_it(cell: int, clean: bool) -> None:
    ink = np.zeros((cell, 2 * cell), np.bool_)
    ink[-1, -1] = True  # with its rim 4 pixels
    trust = np.exp(-12 * 4 / cell**2)  # 0.47 and 0.62: half is clean enough
    assert (trust > 0.5) == clean
    first, second, flat = _lab(FIELD_COLOR), _lab(OTHER_COLOR), lab_from_rgb(FLAT)[0]
    mean = (first + trust * second + 0.5 * flat) / (1 + trust + 0.5)
    if not clean:
        second = (trust * second + 0.1 * first) / (trust + 0.1)
        trust = 0.7
    first = (first + 0.05 * mean) / 1.05
    second = (trust * second + 0.05 * mean) / (trust + 0.05)
    t = (2 * cell - 0.5) / cell - 0.5 - 1  # how far the last pixel is beyond the middle of the second cell
    weight = (1 - t) ** 3 / 6
    expected = rgb_from_lab((weight * first + (1 - weight) * second)[None].astype(np.float32))[0]
    out = interpolate_in_regions(_one_region(cell, 2, ink), FLAT, np.array([[FIELD_COLOR, OTHER_COLOR]], np.float32))
    assert np.abs(out[:, -1] - expected).max() < 3e-4


def test_clean_color_is_propagated_over_eight_cells() -> None:
    ink = np.zeros((8, 14 * 8), np.bool_)
    ink[:, 9:] = True  # with its rim all of the cells but the first
    field = np.zeros((1, 14, 3), np.float32)
    field[0, 0] = 1
    out = interpolate_in_regions(_one_region(8, 14, ink), np.zeros((1, 3), np.uint8), field)
    lightness = lab_from_rgb(out[4, 4::8])[:, 0]
    assert (np.diff(lightness[:10]) < 0).all()
    assert lightness[8] > 78 and lightness[9] > 68
    assert lightness[10:] == pytest.approx(100 / 1.5, abs=0.5), "the mean of the region: one clean cell and half a flat color"


@pytest.mark.parametrize(("pixels", "colors"), [(199, False), (200, True)])
def test_half_a_percent_of_the_image_colors_the_background(pixels: int, colors: bool) -> None:
    labels = np.full((200, 200), 1, np.int32)
    labels[:30] = 0
    labels[100:120, 100:110] = 2
    if pixels < 200:
        labels[119, 109] = 1
    regions = Regions(labels, 3, np.zeros((200, 200), np.bool_), np.array([False, True, False]))
    flats = np.array([[10, 20, 30], [0, 0, 0], [255, 255, 0]], np.uint8)
    background = build_region_colors(regions, sample_field(regions, flats, None), WHITE).background
    assert (background[102, 102, 0] > 200) == colors


@pytest.mark.parametrize(("small", "known"), [(7, True), (8, False)])
def test_a_cell_holds_eight_regions(small: int, known: bool) -> None:
    labels = np.full((20, 20), small, np.int32)
    labels[0, :small] = np.arange(small)
    regions = Regions(labels, small + 1, np.zeros((20, 20), np.bool_), np.ones(small + 1, np.bool_))
    out = interpolate_in_regions(regions, np.zeros((small + 1, 3), np.uint8), np.ones((1, 1, 3), np.float32))
    assert (out[10, 10, 0] > 0.3) == known
