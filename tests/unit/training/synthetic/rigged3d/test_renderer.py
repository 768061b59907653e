"""The 3D renderer: poses, exact masks and lines where they belong."""

from pathlib import Path

import numpy as np
import pytest

from backend.training.synthetic.render.recolor import ColorReplacement, Swatches
from backend.training.synthetic.render.shading import Shading
from backend.training.synthetic.rigged3d.gltf import Model
from backend.training.synthetic.rigged3d.renderer import Camera, Renderer, RenderStyle

LOOK = RenderStyle(Shading())


@pytest.fixture(scope="module")
def model(models: Path) -> Model:
    return Model(models / "Hero.glb")


def textures(model: Model) -> dict[int, np.ndarray]:
    texture = model.texture(0)
    assert texture is not None
    return {0: np.array(texture)}


def test_a_box_from_the_front(model: Model) -> None:
    raster = Renderer(64)
    camera = Camera(center=(0, 0, 0), distance=5.0, yaw=0.0, pitch=0.0)
    view = raster.render(model.pose(), textures(model), {0: 1}, camera, LOOK, 2.0)
    # The front lies 4.7 away; 64 pixels see 2 * 4.7 * tan(15 degrees) there.
    pixel = 2 * 4.7 * np.tan(np.radians(15)) / 64
    rows, columns = np.nonzero(view.mask > 127)
    assert np.ptp(rows) + 1 == pytest.approx(1.6 / pixel, abs=2)
    assert np.ptp(columns) + 1 == pytest.approx(1.0 / pixel, abs=2)
    assert abs(rows.mean() - 31.5) < 1 and abs(columns.mean() - 31.5) < 1
    inside = view.line[rows.min() + 4 : rows.max() - 3, columns.min() + 4 : columns.max() - 3]
    assert inside.min() == 255  # a flat face has no lines
    assert view.line[rows.min(), 32] < 160 and view.line[32, columns.min()] < 160
    assert (view.rgb[view.mask == 0] == 255).all()
    raster.close()


def test_edges_between_faces_are_lines(model: Model) -> None:
    raster = Renderer(64)
    view = raster.render(model.pose(), textures(model), {0: 1}, Camera((0, 0, 0), 5.0, 0.7, 0.0), LOOK, 2.0)
    row = view.line[32]
    columns = np.nonzero(view.mask[32] > 127)[0]
    middle = row[columns.min() + 4 : columns.max() - 3]
    assert (middle < 160).any() and (middle == 255).any()
    raster.close()


def test_poses(model: Model) -> None:
    still = model.pose()[0].points
    turned = model.pose(0, 1.0)[0].points
    angle = 0.8
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    assert turned == pytest.approx(still @ turn.T, abs=1e-5)
    joint = model.pose(turns={"bone": (0.0, np.degrees(angle), 0.0)})[0].points
    assert joint == pytest.approx(turned, abs=1e-5)
    assert model.pose(morphs={0: 0.5})[0].points == pytest.approx(still * 1.1, abs=1e-6)
    assert model.pose(morphs={7: 1.0})[0].points == pytest.approx(still)


def test_recoloring_is_the_same_for_the_same_character(model: Model) -> None:
    texture = textures(model)[0]
    swatches = Swatches(texture, 6, atlas=True)
    one, two = (swatches.recolor(ColorReplacement(np.random.default_rng(8))) for _ in range(2))
    assert np.array_equal(one, two)
    other = swatches.recolor(ColorReplacement(np.random.default_rng(9)))
    assert not np.array_equal(one, other)
    # What was one color stays one color.
    for old in np.unique(texture[..., :3].reshape(-1, 3), axis=0):
        place = (texture[..., :3] == old).all(2)
        assert np.ptp(one[place][:, :3].astype(int), axis=0).max() <= 1


def test_skin_stays_natural() -> None:
    texture = np.full((8, 8, 4), 255, np.uint8)
    texture[..., :3] = (246, 204, 172)
    hues = []
    for seed in range(60):
        r, g, b = (
            int(x) for x in Swatches(texture, 4, atlas=True).recolor(ColorReplacement(np.random.default_rng(seed)))[0, 0, :3]
        )
        hues.append(r >= g >= b)
    assert np.mean(hues) > 0.8
