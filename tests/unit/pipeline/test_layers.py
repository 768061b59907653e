"""What the painter is promised of the two layers."""

import cv2
import numpy as np
import pytest

from backend.contract.drawing import Colors, Drawing, Reference, ResultLayers
from backend.imaging.resize import resize
from backend.imaging.segmentation.regions import merge_and_split, segment
from backend.imaging.types import Regions
from backend.pipeline.layers import background_color, compose_layers
from backend.pipeline.prepare import working_size
from shared.protocol import ReferenceRole


def _character(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Ink and mask: a head on a body, before a horizon."""
    ink, mask = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    thick, u = max(1, min(width, height) // 120), min(width, height) / 100
    x, y = width // 2, height // 2
    cv2.line(ink, (0, y), (width, y + round(4 * u)), 255, thick, cv2.LINE_AA)
    body = np.array([[x - 16 * u, height], [x - 12 * u, y], [x + 12 * u, y], [x + 16 * u, height]]).round().astype(np.int32)
    head = (x, y - round(20 * u)), round(22 * u)
    for shape, value in ((mask, 255), (ink, 0)):
        cv2.fillPoly(shape, [body], value, cv2.LINE_AA)
        cv2.circle(shape, *head, value, -1, cv2.LINE_AA)
    cv2.polylines(ink, [body], False, 255, thick, cv2.LINE_AA)
    cv2.circle(ink, *head, 0, -1, cv2.LINE_AA)
    cv2.circle(ink, *head, 255, thick, cv2.LINE_AA)
    return ink, mask


def _drawing(width: int, height: int, references: tuple[Reference, ...] = ()) -> Drawing:
    ink, mask = _character(width, height)
    w, h = working_size(width, height)
    return Drawing(ink, mask, merge_and_split(segment(resize(ink, w, h), 0.04), resize(mask, w, h), 160), references)


def _colors(regions: Regions, field: bool) -> Colors:
    rng = np.random.default_rng(3)
    flats = rng.integers(90, 256, (regions.count, 3)).astype(np.uint8)
    flats[~regions.foreground] = np.array([40, 70, 200]) + rng.integers(0, 50, (int((~regions.foreground).sum()), 3))
    if not field:
        return Colors(flats, None)
    image = flats.astype(np.float32)[regions.labels] / 255
    image[regions.ink] *= 0.1  # a field that has the lines baked in
    return Colors(flats, cv2.resize(image, (48, 48), interpolation=cv2.INTER_AREA))


SIZES = [(64, 64), (300, 220), (1100, 600)]


def _all(size: tuple[int, int], field: bool) -> tuple[Drawing, Colors, ResultLayers]:
    drawing = _drawing(*size)
    colors = _colors(drawing.regions, field)
    return drawing, colors, compose_layers(drawing, colors)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("field", [False, True])
def test_shapes_alphas_and_compositing(size: tuple[int, int], field: bool) -> None:
    drawing, _, found = _all(size, field)
    for layer in (found.foreground, found.background, found.composite):
        assert layer.shape == (size[1], size[0], 4) and layer.dtype == np.uint8
    assert (found.background[..., 3] == 255).all() and (found.composite[..., 3] == 255).all()
    alpha = found.foreground[..., 3:] / 255
    exact = found.foreground[..., :3] * alpha + found.background[..., :3] * (1 - alpha)
    assert np.abs(found.composite[..., :3] - exact).max() <= 1
    assert (found.foreground[..., 3] >= drawing.mask).all()


@pytest.mark.parametrize("size", SIZES)
def test_alpha_is_the_mask_away_from_lines_and_ends_under_them(size: tuple[int, int]) -> None:
    drawing, _, found = _all(size, False)
    changed = found.foreground[..., 3] != drawing.mask
    assert (cv2.dilate(drawing.ink, np.ones((3, 3), np.uint8))[changed] >= 16).all()
    near = cv2.dilate((drawing.mask > 0).astype(np.uint8), np.ones((2 * max(2, size[1] // 50) + 1,) * 2, np.uint8))
    assert (near[changed] == 1).all()


def test_flats_are_exact_inside_regions() -> None:
    drawing, colors, found = _all((1100, 600), False)
    height, width = drawing.regions.labels.shape
    rows, columns = (np.arange(600) * height // 600)[:, None], np.arange(1100) * width // 1100
    labels = drawing.regions.labels[rows, columns]
    core = drawing.ink == 0
    for k in range(drawing.regions.count):
        inside = cv2.erode((labels == k).astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool) & core
        assert inside.any()
        layer = found.foreground if drawing.regions.foreground[k] else found.background
        assert (layer[inside][:, :3] == colors.flats[k]).all()


@pytest.mark.parametrize("size", SIZES[1:])
def test_no_line_is_baked_in(size: tuple[int, int]) -> None:
    drawing, _, flat = _all(size, False)
    _, _, painted = _all(size, True)
    drop = flat.composite[..., :3].astype(int) - painted.composite[..., :3]
    assert np.percentile(np.abs(drop)[drawing.ink > 200], 99) < 40
    assert drop[drawing.ink > 200].mean() < 6


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("field", [False, True])
def test_hiding_the_foreground_shows_no_hole_and_no_ghost(size: tuple[int, int], field: bool) -> None:
    drawing, colors, found = _all(size, field)
    background = found.background[..., :3].astype(int)
    regions = drawing.regions
    own = colors.flats[~regions.foreground].astype(int)
    assert (background >= own.min(0) - 12).all() and (background <= own.max(0) + 12).all()
    edge = cv2.morphologyEx((drawing.mask > 127).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).astype(bool)
    edge[:, :2] = edge[:, -2:] = False
    step = np.abs(np.diff(background, axis=1)).max(-1)
    horizon = cv2.dilate((np.abs(np.diff(background, axis=0)).max(-1) > 12).astype(np.uint8), np.ones((5, 5), np.uint8))
    seam = edge[1:, 1:] & (horizon[:, 1:] == 0)
    assert seam.any() and np.percentile(step[1:][seam], 99) <= 12


@pytest.mark.parametrize("field", [False, True])
def test_the_line_over_the_edge_shows_no_pale_seam(field: bool) -> None:
    """A mask that stops at the inner edge of the outline: every inked pixel within the foreground is opaque."""
    drawing = _drawing(600, 600)
    inner = np.where(drawing.ink > 0, 0, drawing.mask)
    inner = cv2.erode(inner, np.ones((3, 3), np.uint8), iterations=1)
    inner = np.maximum(inner, 0)
    skirt = cv2.dilate(inner, np.ones((3, 3), np.uint8))
    short = Drawing(drawing.ink, skirt, drawing.regions, ())
    found = compose_layers(short, _colors(drawing.regions, field))
    assert (skirt < 128)[drawing.ink > 200].any()
    inside = cv2.erode((drawing.mask > 127).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    assert (found.foreground[..., 3][inside & (drawing.ink > 64)] == 255).mean() > 0.98


def test_colors_below_clear_alpha_are_sane() -> None:
    drawing, colors, found = _all((300, 220), True)
    clear = found.foreground[..., 3] == 0
    mine = colors.flats[drawing.regions.foreground].astype(int)
    rgb = found.foreground[clear][:, :3].astype(int)
    assert (rgb >= mine.min(0) - 12).all() and (rgb <= mine.max(0) + 12).all()


def test_all_foreground_is_on_paper() -> None:
    ink, _ = _character(200, 200)
    mask = np.full_like(ink, 255)
    rgb = np.full((20, 20, 3), (240, 230, 210), np.uint8)
    half = np.zeros((20, 20), np.uint8)
    half[:, :10] = 255
    rgb[:, :10] = 50
    reference = Reference(rgb, half, ReferenceRole.BOTH, rgb.shape[:2])
    drawing = Drawing(ink, mask, merge_and_split(segment(ink, 0.04), mask, 160), (reference,))
    found = compose_layers(drawing, _colors(drawing.regions, False))
    assert (found.background[..., :3] == (240, 230, 210)).all()
    assert (found.foreground[..., 3] == 255).all()


def test_the_paper_is_the_first_references_background_or_white() -> None:
    rgb = np.full((20, 20, 3), 100, np.uint8)
    empty, full = np.zeros((20, 20), np.uint8), np.full((20, 20), 255, np.uint8)
    assert background_color(()) == (255, 255, 255)
    assert background_color((Reference(rgb, full, ReferenceRole.BOTH, rgb.shape[:2]),)) == (255, 255, 255)
    assert background_color((Reference(rgb, empty, ReferenceRole.FOREGROUND, rgb.shape[:2]),)) == (255, 255, 255)
    assert background_color((Reference(rgb, empty, ReferenceRole.BACKGROUND, rgb.shape[:2]),)) == (100, 100, 100)


def test_no_foreground_at_all() -> None:
    ink, _ = _character(200, 200)
    mask = np.zeros_like(ink)
    drawing = Drawing(ink, mask, merge_and_split(segment(ink, 0.04), mask, 160), ())
    found = compose_layers(drawing, _colors(drawing.regions, True))
    assert not found.foreground[..., 3].any()
    assert np.array_equal(found.composite, found.background)


@pytest.mark.parametrize("size", [(64, 3000), (4100, 64), (65, 67)])
def test_extreme_canvases(size: tuple[int, int]) -> None:
    drawing, _, found = _all(size, True)
    assert found.composite.shape == (size[1], size[0], 4)
    inside = drawing.mask == 255
    assert inside.any() and (found.foreground[..., 3][inside] == 255).all()


def test_the_finish_is_deterministic() -> None:
    one, two = _all((700, 1200), True)[2], _all((700, 1200), True)[2]
    assert np.array_equal(one.composite, two.composite) and np.array_equal(one.foreground, two.foreground)


@pytest.mark.parametrize(("pixels", "color"), [(199, (255, 255, 255)), (200, (100, 100, 100))])
def test_two_percent_of_a_reference_are_a_background(pixels: int, color: tuple[int, int, int]) -> None:
    mask = np.full(10000, 255, np.uint8)
    mask[:pixels] = 0
    rgb = np.full((100, 100, 3), 100, np.uint8)
    assert background_color((Reference(rgb, mask.reshape(100, 100), ReferenceRole.BOTH, rgb.shape[:2]),)) == color
