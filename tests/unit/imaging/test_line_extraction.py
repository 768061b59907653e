"""Every way to read a line layer finds the lines that were drawn, and none where there is none."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from backend.imaging.ink import ink_from_rgba, is_empty
from backend.imaging.line_extraction import FACE_SIGMAS, extract_ink, xdog_binary
from backend.imaging.resize import resize
from shared.line_preparation import LinePreparation

OF_IMAGES = (LinePreparation.DODGE, LinePreparation.XDOG)
DARK_ON_LIGHT = (LinePreparation.AS_DRAWN, LinePreparation.SCAN, *OF_IMAGES)
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


@pytest.mark.parametrize("preparation", OF_IMAGES)
def test_lines_of_a_colored_image_are_found_and_its_colors_are_not(preparation: LinePreparation, character: Callable) -> None:
    ink, mask = character(600)
    colors = np.where(mask[..., None] > 127, (90, 60, 50), (150, 120, 200)).astype(np.uint8)
    colors[:300] = colors[:300] // 2 + 40
    image = np.where(ink[..., None] > 127, colors // 5, colors)
    found = extract_ink(opaque(image), preparation)
    recall, _ = agreement(found, ink)
    assert recall > 0.9
    assert found[cv2.dilate(ink, np.ones((25, 25), np.uint8)) == 0].mean() < 12
    assert (ink_from_rgba(opaque(image)) > 100).mean() > 0.2, "read as drawn, paint is ink"


@pytest.mark.parametrize("preparation", OF_IMAGES)
def test_the_lines_of_the_bundled_image(preparation: LinePreparation) -> None:
    with Image.open(DEMO / "reference.png") as image:
        found = extract_ink(np.asarray(image.convert("RGBA")), preparation)
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


def _noise(side: int, contrast: int, seed: int = 5) -> np.ndarray:
    """A colored image (side, side, 3) of soft noise around gray, so that no extractor's ink is all or nothing."""
    rng = np.random.default_rng(seed)
    soft = cv2.GaussianBlur(rng.integers(0, 256, (side, side, 3)).astype(np.float32), (0, 0), 1.2)
    return np.clip(128 + (soft - 128) * contrast / 100, 0, 255).astype(np.uint8)


def _gray(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _blur(image: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), sigma)


@pytest.mark.parametrize("side", [300, 700])
def test_xdog_has_the_documented_parameters(side: int) -> None:
    rgb = _noise(side, 110)
    small = resize(rgb, min(side, 512), min(side, 512))
    gray = _gray(small) / 255
    sharp = resize(37 * _blur(gray, 1.0) - 36 * _blur(gray, 1.6), side, side)
    expected = 255 * np.tanh(4 * np.maximum(-sharp, 0))
    assert ((expected > 30) & (expected < 225)).mean() > 0.05
    assert np.abs(extract_ink(opaque(rgb), LinePreparation.XDOG) - expected).max() <= 0.6


@pytest.mark.parametrize(("side", "contrast"), [(300, 300), (300, 25), (700, 300)])
def test_a_scan_has_the_documented_parameters(side: int, contrast: int) -> None:
    rgb = _noise(side, contrast)
    small = resize(rgb, min(side, 512), min(side, 512)).astype(np.float32)
    around = resize(_blur(small, 6.0), side, side)
    darker = np.maximum((around - rgb).min(-1), 0)
    typical = max(16.0, float(np.median(darker[darker > 8])))
    assert (typical > 16) == (contrast > 100)
    expected = np.clip(darker * 127 / typical, 0, 255)
    found = extract_ink(opaque(rgb), LinePreparation.SCAN)
    assert np.abs(found - expected).max() <= 1.01


@pytest.mark.parametrize(("side", "kernel"), [(512, 7), (1024, 13)])
def test_dodge_has_the_documented_parameters(side: int, kernel: int) -> None:
    rgb = _noise(side, 200)
    gray = _gray(rgb) + 6
    quotient = gray / cv2.dilate(gray, np.ones((kernel, kernel), np.uint8))
    expected = 255 * (1 - np.clip((quotient - 0.4) / (0.92 - 0.4), 0, 1))
    assert (quotient < 0.4).any() and (quotient > 0.92).any()
    assert np.abs(extract_ink(opaque(rgb), LinePreparation.DODGE) - expected).max() <= 1.01


def test_faces_have_the_published_parameters() -> None:
    assert FACE_SIGMAS == (0.3, 0.4, 0.5)
    rgb = _noise(200, 150)
    gray = _gray(rgb) / 255
    for sigma in FACE_SIGMAS:
        sharp = gray * (11 * _blur(gray, sigma) - 10 * _blur(gray, 3.5 * sigma))
        near = np.abs(sharp - 0.01) < 0.003
        assert near.any(), "a level a little higher or lower would show"
        assert np.array_equal(xdog_binary(rgb, sigma), np.where(sharp < 0.01, 255, 0))
