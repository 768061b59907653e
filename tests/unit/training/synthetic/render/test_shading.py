"""Light: flat stays flat, shade lies away from the light, each kind of paint has its tint."""

from dataclasses import replace

import numpy as np
import pytest

from backend.training.synthetic.render.canvas import Sheet, rasterize
from backend.training.synthetic.render.curves import ellipse
from backend.training.synthetic.render.relief import bulge_normals, cast_shadows, inner_distance
from backend.training.synthetic.render.shading import (
    MATERIAL_KINDS,
    Shading,
    random_shading,
    scale_shading,
    unit_vector,
    vary_light,
)
from backend.training.synthetic.rigged3d.lighting import shade_render
from backend.training.synthetic.types import View

SIZE = 96
FRAME = np.array([[30.0, 0, 48], [0, 30, 48]])
PALETTE = {
    "skin": np.array([240, 200, 180], np.uint8),
    "hair": np.array([120, 80, 160], np.uint8),
    "top": np.array([80, 160, 200], np.uint8),
    "ink": np.array([30, 30, 30], np.uint8),
}
TINTS = {"skin": (0.9, 0.7, 0.7), "hair": (0.5, 0.5, 0.9), "cloth": (0.6, 0.8, 0.6)}
CEL = Shading(light=unit_vector(-1, -1, 0.8), levels=(0.3,), tints=TINTS)


def ball(material: str, shading: Shading) -> View:
    sheet = Sheet()
    sheet.fill(ellipse(0, 0, 1, 1), material, 0.0)
    return rasterize(sheet, PALETTE, FRAME, SIZE, shading)


def test_flat_paint_is_left_alone() -> None:
    view = ball("skin", Shading())
    assert (view.rgb[view.mask == 255] == PALETTE["skin"]).all()


@pytest.mark.parametrize(("material", "kind"), [("skin", "skin"), ("hair", "hair"), ("top", "cloth")])
def test_shade_is_away_from_the_light_and_tinted_by_kind(material: str, kind: str) -> None:
    view = ball(material, replace(CEL, strands=0.0, folds=0.0))
    lit, dark = view.rgb[34, 34], view.rgb[66, 66]
    assert (lit == PALETTE[material]).all()
    expected = PALETTE[material] * np.array(TINTS[kind])
    assert np.abs(dark - expected).max() < 2
    assert (view.rgb[view.mask == 0] == 255).all()


def test_the_other_light_shades_the_other_side() -> None:
    one, other = ball("top", CEL), ball("top", replace(CEL, light=unit_vector(1, 1, 0.8)))
    assert one.rgb[34, 34].sum() > one.rgb[66, 66].sum()
    assert other.rgb[34, 34].sum() < other.rgb[66, 66].sum()
    assert np.array_equal(one.line, other.line) and np.array_equal(one.mask, other.mask)


def test_parts_bulge_towards_their_edges() -> None:
    part = np.zeros((40, 40), np.int16)
    part[5:35, 5:35] = 3
    nx, ny = bulge_normals(part, 10)
    assert nx[20, 7] < -0.5 and nx[20, 32] > 0.5 and ny[7, 20] < -0.5
    assert abs(nx[20, 20]) < 0.1 and abs(ny[20, 20]) < 0.1
    assert inner_distance(np.ones((20, 20), np.int16)).max() <= 20  # an image without any edge


def test_only_upper_parts_throw_shadows() -> None:
    part = np.ones((40, 40), np.int16)
    part[10:20, 10:30] = 2
    shadow = cast_shadows(part, replace(CEL, light=unit_vector(0, -1, 1), shadow_length=0.2), 30.0)
    assert shadow[22, 20] > 0.9 and shadow[12, 20] < 0.1 and shadow[5, 20] < 0.1


def test_features_are_no_parts_of_their_own() -> None:
    """A pupil on a cheek throws no shadow and hides none."""
    plain, sheet = Sheet(), Sheet()
    for s in (plain, sheet):
        s.fill(ellipse(0, 0, 1, 1), "skin", 0.0)
    sheet.fill(ellipse(-0.3, -0.3, 0.1, 0.1), "ink", 0.0)
    shading = replace(CEL, shadow_length=0.3)
    a, b = (rasterize(s, PALETTE, FRAME, SIZE, shading).rgb for s in (plain, sheet))
    differs = (a != b).any(2)
    ys, xs = np.nonzero(differs)
    assert differs.any() and np.hypot(xs - 39, ys - 39).max() < 6


def test_solid_characters_take_light_from_their_normals() -> None:
    rgb = np.full((32, 32, 3), 180, np.uint8)
    normals = np.zeros((32, 32, 3), np.float32)
    normals[:, :16] = unit_vector(-0.9, 0.3, 0.3)
    normals[:, 16:] = unit_vector(0.9, 0.3, 0.3)
    mask, depth = np.full((32, 32), 255, np.uint8), np.ones((32, 32), np.float32)
    shading = replace(CEL, light=unit_vector(-1, -0.4, 0.4))
    out = shade_render(rgb, normals, depth, mask, shading, 2.0)
    assert (out[:, 2:12] == 180).all()
    assert np.abs(out[:, 20:30] - 180 * np.array(TINTS["cloth"])).max() < 2
    assert shade_render(rgb, normals, depth, mask, Shading(), 2.0) is rgb


def test_random_lights_are_whole() -> None:
    rng = np.random.default_rng(1)
    styles = [random_shading(rng) for _ in range(200)]
    assert 5 < sum(s.is_flat for s in styles) < 60
    for s in styles:
        assert np.linalg.norm(s.light) == pytest.approx(1)
        assert set(s.tints) == set(s.ramps) == set(MATERIAL_KINDS)
        assert vary_light(rng, s).tints == s.tints
        assert scale_shading(s, 0.5).bulge == s.bulge * 0.5
    assert vary_light(rng, Shading()) == Shading()
