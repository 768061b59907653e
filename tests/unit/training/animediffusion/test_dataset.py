"""Drawn faces, and data sets that cannot be used."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from backend.imaging.line_extraction import FACE_SIGMAS, xdog_binary
from backend.imaging.thin_plate_warp import ThinPlateWarp, random_warp, warp_maps, warp_published
from backend.training.animediffusion.dataset import FacePairs, center_square, draw_lines
from backend.training.cli import app
from backend.training.colorizediffusion.dataset import DatasetError
from backend.training.synthetic.faces import write_faces


def test_faces_are_the_same_for_a_seed_and_written(faces: Path, tmp_path: Path) -> None:
    write_faces(tmp_path, 2, 64, seed=5)
    assert write_faces(tmp_path, 3, 64, seed=5) == 1
    one, other = FacePairs(faces), FacePairs(tmp_path)
    assert one.names == other.names == ["00000.png", "00001.png", "00002.png"]
    for number in range(3):
        assert np.array_equal(one.read(number).color, other.read(number).color)
        lines = one.read(number).lines
        assert set(np.unique(lines)) == {0, 255} and 0.01 < (lines == 0).mean() < 0.5


def test_lines_are_drawn_where_there_are_none(faces: Path, tmp_path: Path) -> None:
    shutil.copytree(faces / "reference", tmp_path / "reference")
    shutil.copytree(faces / "condition", tmp_path / "condition")
    (tmp_path / "condition" / "00001.png").unlink()
    for count in (1, 0):
        result = CliRunner().invoke(app, ["anime-lines", str(tmp_path)])
        assert result.exit_code == 0 and f"{count} drawings" in result.output
    assert not list((tmp_path / "condition").glob("*.part"))
    drawn, color = FacePairs(tmp_path).read(1).lines, FacePairs(faces).read(1).color
    assert any(np.array_equal(drawn, 255 - xdog_binary(color, sigma)) for sigma in FACE_SIGMAS)
    assert np.array_equal(FacePairs(tmp_path).read(0).lines, FacePairs(faces).read(0).lines)


def test_says_what_is_missing(faces: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no images"):
        FacePairs(tmp_path)
    folder = tmp_path / "set"
    shutil.copytree(faces, folder)
    (folder / "condition" / "00001.png").write_bytes(b"no image")
    with pytest.raises(DatasetError, match=r"condition/00001\.png"):
        FacePairs(folder).read(1)
    (folder / "condition" / "00001.png").unlink()
    with pytest.raises(DatasetError, match=r"1 images lack .* condition/00001\.png$"):
        FacePairs(folder)
    (folder / "reference" / "00000.png").unlink()
    (folder / "condition" / "00000.png").rename(folder / "condition" / "00001.png")
    shutil.copy(folder / "condition" / "00002.png", folder / "condition" / "00003.PNG")
    with pytest.raises(DatasetError, match=r"1 images lack .* reference/00003\.PNG$"):
        FacePairs(folder)


def test_squares_keep_the_middle() -> None:
    image = np.zeros((40, 100, 3), np.uint8)
    image[:, 40:60] = 255
    assert center_square(image, 20).shape == (20, 20, 3)
    assert center_square(image, 20)[:, 7:13].min() == 255 and center_square(image, 20)[:, :4].max() == 0


def test_warps_lie_in_their_ranges_and_differ() -> None:
    drawn = [random_warp(np.random.default_rng(number)) for number in range(200)]
    assert len(set(drawn)) > 190
    for bend in drawn:
        assert min(bend.first, bend.second) >= 0.3 and max(bend.first, bend.second) <= 0.7
        assert max(abs(bend.first_shift), abs(bend.second_shift)) <= 0.25
        assert round(bend.first + bend.first_shift, 2) != round(bend.second + bend.second_shift, 2)


def test_points_that_do_not_move_warp_nothing() -> None:
    still = ThinPlateWarp(0.3, 0.7, 0.0, 0.0)
    x, y = warp_maps(still, 5, 3, (4, 2))
    assert np.allclose(x, np.arange(5)[None], atol=1e-4) and np.allclose(y, np.arange(3)[:, None], atol=1e-4)
    image = np.full((40, 40, 3), 200, np.uint8)
    assert (warp_published(image, still)[:-2, :-2] == 200).all() and (warp_published(image, still)[-1] < 200).all()


def test_squares_are_cut_as_torchvision_cuts_them() -> None:
    """Resize cuts the longer side down (33 * 16 / 20 = 26.4, 35 * 16 / 20 = 28), CenterCrop rounds halves to the even."""
    for shape in ((20, 33), (20, 34), (20, 35), (41, 20), (16, 19), (16, 21)):
        image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        sized = Image.fromarray(image).resize((int(16 * shape[1] / min(shape)), int(16 * shape[0] / min(shape))), 2)
        expected = {(20, 33): (0, 5), (20, 34): (0, 6), (20, 35): (0, 6), (41, 20): (8, 0), (16, 19): (0, 2), (16, 21): (0, 2)}
        top, left = expected[shape]
        assert np.array_equal(center_square(image, 16), np.asarray(sized)[top : top + 16, left : left + 16])


def test_damaged_images_are_named_however_they_are_damaged(faces: Path, tmp_path: Path) -> None:
    shutil.copytree(faces, tmp_path / "set")
    path = tmp_path / "set" / "reference" / "00000.png"
    whole = path.read_bytes()
    header = b"BM" + bytes(12) + (40).to_bytes(4, "little") + (2**28).to_bytes(4, "little") * 2 + b"\x01\0\x18\0" + bytes(24)
    for damaged in (whole[:200], whole.replace(b"IDAT", b"\x90\xfe\x94\xaf"), whole[:60] + bytes(40) + whole[100:], header):
        path.write_bytes(damaged)
        with pytest.raises(DatasetError, match=r"reference/00000\.png cannot be read"):
            FacePairs(tmp_path / "set").read(0)


def test_drawn_lines_are_not_blurred_by_what_their_names_end_with(faces: Path, tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    Image.open(faces / "reference" / "00000.png").save(tmp_path / "reference" / "one.jpg")
    for name in ("two", "three", "four", "five"):
        shutil.copy(tmp_path / "reference" / "one.jpg", tmp_path / "reference" / f"{name}.jpg")
    assert draw_lines(tmp_path) == 5
    pairs = FacePairs(tmp_path)
    drawings = {pairs.read(number).lines.tobytes() for number in range(5)}
    assert len(drawings) > 1  # not all with the same sigma
    assert all(set(np.unique(pairs.read(number).lines)) == {0, 255} for number in range(5))
