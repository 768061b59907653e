"""Faces to learn from and to measure on: portraits of rigged characters, and which characters are held out."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from backend.training.synthetic import faces
from backend.training.synthetic.bust.identity import HELD_OUT_STYLE
from backend.training.synthetic.cli import app
from backend.training.synthetic.faces import write_faces
from backend.training.synthetic.rigged3d.heads import Heads3D, head_points, parts_in_hands, turn_upright
from backend.training.synthetic.rigged3d.rigs import Character

SIZE = 64


def read_images(folder: Path) -> list[np.ndarray]:
    return [np.asarray(Image.open(path)) for path in sorted(folder.glob("*/*.png"))]


@pytest.fixture(scope="module")
def character(heads: Path) -> Character:
    return Character(heads / "Hero.glb", None)


def test_a_head_is_found_by_its_joint(character: Character, models: Path) -> None:
    points = head_points(character, character.model.pose())
    assert len(points) == 24 and np.ptp(points, axis=0) == pytest.approx([1.0, 1.6, 0.6])
    headless = Character(models / "Hero.glb", None)
    with pytest.raises(ValueError, match="Hero has no head"):
        head_points(headless, headless.model.pose())
    with pytest.raises(ValueError, match="no head"):
        Heads3D([models / "Hero.glb"], SIZE)


def test_a_character_that_turns_is_turned_back(character: Character) -> None:
    rest = head_points(character, character.model.pose())
    turned = character.model.pose(0, 1.0)
    assert np.abs(head_points(character, turned) - rest).max() > 0.2
    back = turn_upright(character, turned)
    assert head_points(character, back) == pytest.approx(rest, abs=1e-5)
    assert back[0].normals == pytest.approx(character.model.pose()[0].normals, abs=1e-5)


def test_what_is_in_hands_is_not_drawn(character: Character) -> None:
    assert parts_in_hands(character) == {"Knife"}


def test_portraits_show_the_whole_head_large(heads: Path) -> None:
    source = Heads3D([heads / "Hero.glb"], SIZE)
    for number in range(6):
        view = source.draw(np.random.default_rng([1, number]), SIZE)
        rows, columns = np.nonzero(view.mask > 127)
        assert np.ptp(rows) > 0.5 * SIZE and SIZE / 4 < columns.mean() < SIZE * 3 / 4
        assert view.rgb[view.mask > 127].std() > 5
    with pytest.raises(ValueError, match="64 pixels, not 32"):
        source.draw(np.random.default_rng(0), 32)


def test_held_out_characters_and_styles_are_in_no_training_face(heads: Path) -> None:
    trained, validation = (faces.load_heads(heads, SIZE, held_out).characters for held_out in (False, True))
    assert [character.name for character in trained] == ["Hero"] and [character.name for character in validation] == ["Mage"]
    assert not set(faces.face_styles(False)) & set(faces.face_styles(True)) and HELD_OUT_STYLE in faces.face_styles(True)
    assert len(faces.portrait_drawers(heads, SIZE, False)) == len(faces.portrait_drawers(heads, SIZE, True)) == 2


def test_without_models_the_held_out_style_is_drawn(tmp_path: Path) -> None:
    assert len(faces.portrait_drawers(None, SIZE, False)) == len(faces.portrait_drawers(None, SIZE, True)) == 1
    write_faces(tmp_path / "train", 2, SIZE, 3)
    write_faces(tmp_path / "test", 2, SIZE, 3, held_out=True)
    one, other = read_images(tmp_path / "train"), read_images(tmp_path / "test")
    assert not any(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_faces_repeat_by_seed_and_go_on(heads: Path, tmp_path: Path) -> None:
    assert write_faces(tmp_path / "a", 6, SIZE, 4, heads) == 6
    assert write_faces(tmp_path / "b", 2, SIZE, 4, heads) == 2
    (tmp_path / "b" / "condition" / "00001.png").unlink()
    assert write_faces(tmp_path / "b", 6, SIZE, 4, heads) == 5
    first, again = read_images(tmp_path / "a"), read_images(tmp_path / "b")
    assert len(first) == len(again) == 12
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    write_faces(tmp_path / "drawn", 6, SIZE, 4)
    assert not all(np.array_equal(one, other) for one, other in zip(first, read_images(tmp_path / "drawn"), strict=True))


def test_command_line(heads: Path, tmp_path: Path) -> None:
    arguments = ["faces", str(tmp_path / "out"), "--count", "2", "--size", "64", "--models3d", str(heads), "--held-out"]
    for message in ("2 faces", "0 faces"):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0 and message in result.output, result.output
    (tmp_path / "empty").mkdir()
    result = CliRunner().invoke(app, ["faces", str(tmp_path / "none"), "--models3d", str(tmp_path / "empty")])
    assert result.exit_code == 2 and "no rigged character" in result.output
