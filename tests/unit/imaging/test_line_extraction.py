"""Every way to read a line layer finds the lines that were drawn, and none where there is none."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from backend.imaging.ink import ink_from_rgba, is_empty
from backend.imaging.line_extraction import extract_ink
from shared.line_preparation import LinePreparation

OF_PICTURES = (LinePreparation.DODGE, LinePreparation.XDOG)
DARK_ON_LIGHT = (LinePreparation.AS_DRAWN, LinePreparation.SCAN, *OF_PICTURES)
DEMO = Path(__file__).resolve().parents[3] / "backend" / "data" / "demo"


def opaque(rgb: np.ndarray) -> np.ndarray:
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])


def agreement(found: np.ndarray, drawn: np.ndarray) -> tuple[float, float]:
    """Share of the drawn lines that are found, and of the found ones that lie within two pixels of a drawn one."""
    near = cv2.dilate(drawn, np.ones((5, 5), np.uint8)) > 100
    lines = found > 100
    return float(lines[drawn > 200].mean()), float(near[lines].mean())


@pytest.mark.parametrize("preparation", DARK_ON_LIGHT)
@pytest.mark.parametrize("side", [256, 700])
def test_black_lines_on_white_are_found_in_each_mode(preparation: LinePreparation, side: int, circle) -> None:
    ink = circle(side, thickness=max(2, side // 200))
    recall, precision = agreement(extract_ink(opaque(np.dstack([255 - ink] * 3)), preparation), ink)
    assert recall > 0.95 and precision > 0.99


def test_white_on_black_is_taken_as_it_is(circle) -> None:
    ink = circle()
    assert np.array_equal(extract_ink(opaque(np.dstack([ink] * 3)), LinePreparation.WHITE_ON_BLACK), ink)
    clear = np.dstack([np.full((*ink.shape, 3), 255, np.uint8), ink])
    assert np.array_equal(extract_ink(clear, LinePreparation.WHITE_ON_BLACK), ink)
    assert is_empty(extract_ink(np.zeros((80, 80, 4), np.uint8), LinePreparation.WHITE_ON_BLACK))


def test_a_scan_loses_its_shades_and_its_usual_line_gets_half_strength(circle) -> None:
    ink = circle(500, thickness=3, strength=120)
    shade = np.linspace(250, 120, 500).astype(np.uint8)
    page = np.dstack([(shade[None] * (1 - ink / 255.0)).astype(np.uint8)] * 3)
    found = extract_ink(opaque(page), LinePreparation.SCAN)
    assert found[ink == 0].mean() < 2
    assert 100 < np.median(found[ink == 120]) < 170


@pytest.mark.parametrize("preparation", OF_PICTURES)
def test_lines_of_a_colored_picture_are_found_and_its_colors_are_not(preparation: LinePreparation, figure: Callable) -> None:
    ink, mask = figure(600)
    colors = np.where(mask[..., None] > 127, (90, 60, 50), (150, 120, 200)).astype(np.uint8)
    colors[:300] = colors[:300] // 2 + 40
    picture = np.where(ink[..., None] > 127, colors // 5, colors)
    found = extract_ink(opaque(picture), preparation)
    recall, _ = agreement(found, ink)
    assert recall > 0.9
    assert found[cv2.dilate(ink, np.ones((25, 25), np.uint8)) == 0].mean() < 12
    assert (ink_from_rgba(opaque(picture)) > 100).mean() > 0.2, "read as drawn, paint is ink"


@pytest.mark.parametrize("preparation", OF_PICTURES)
def test_the_lines_of_the_bundled_picture(preparation: LinePreparation) -> None:
    with Image.open(DEMO / "reference.png") as picture:
        found = extract_ink(np.asarray(picture.convert("RGBA")), preparation)
    assert 0.05 < (found > 127).mean() < 0.14
    assert not (found[:100, :400] > 47).any(), "a plain sky with a soft shade"
    across = found[520, 160:195]
    assert across.max() > 240 and across[0] == across[-1] == 0, "a wall of the house is one line"


@pytest.mark.parametrize("preparation", DARK_ON_LIGHT)
@pytest.mark.parametrize("color", [(0, 0, 0, 0), (255, 255, 255, 255), (90, 120, 200, 255), (0, 0, 0, 255)])
def test_a_plain_layer_has_no_ink(preparation: LinePreparation, color: tuple[int, ...]) -> None:
    assert is_empty(extract_ink(np.full((90, 80, 4), color, np.uint8), preparation))


@pytest.mark.parametrize("preparation", LinePreparation)
@pytest.mark.parametrize("shape", [(64, 64), (64, 700), (1, 1)])
def test_any_size_is_read_and_left_as_it_was(preparation: LinePreparation, shape: tuple[int, int]) -> None:
    rgba = np.random.default_rng(0).integers(0, 256, (*shape, 4), np.uint8)
    before = rgba.copy()
    ink = extract_ink(rgba, preparation)
    assert ink.shape == shape and ink.dtype == np.uint8 and np.array_equal(rgba, before)
