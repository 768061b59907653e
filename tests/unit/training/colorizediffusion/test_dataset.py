"""The published layout, zipped and not, and what makes it."""

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from backend.training.cli import app
from backend.training.colorizediffusion.dataset import DatasetError, Filters, ImageDataset
from backend.training.colorizediffusion.dataset_builder import BuildOptions, build_dataset
from tests.unit.training.colorizediffusion.conftest import COUNT, draw


def names(folder: ImageDataset) -> list[str]:
    return [folder.read(number).name for number in range(len(folder))]


@pytest.mark.parametrize("kind", ["plain", "zipped"])
def test_reads_colors_lines_and_masks_of_one_image(kind: str, request: pytest.FixtureRequest) -> None:
    data = ImageDataset(request.getfixturevalue(kind), masks=True)
    assert len(data) == data.refresh() == COUNT
    for number in range(COUNT):
        sample = data.read(number)
        color, line, mask = draw(int(Path(sample.name).stem))
        assert np.array_equal(sample.color, color)
        assert np.array_equal(sample.sketch, line)
        assert sample.mask is not None and np.array_equal(sample.mask, mask)
    assert ImageDataset(data.folder, masks=False).read(0).mask is None


def test_a_copy_in_another_process_opens_its_own_archives(zipped: Path) -> None:
    data = ImageDataset(zipped, masks=False)
    data.read(0)
    assert np.array_equal(copy.deepcopy(data).read(0).color, data.read(0).color)


def test_lists_choose_by_score_resolution_and_sketch(zipped: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(zipped, folder)
    good = {"aesthetic_score": 6.0, "resolution": [800, 900], "exist_sketch": True}
    listed = {"disc/0.png": good, "disc/1.png": {**good, "aesthetic_score": 3.0}, "disc/2.jpg": {**good, "exist_sketch": False}}
    (folder / "image_list_a.json").write_text(json.dumps(listed))
    others = ["ai1/3.png", "ai1/4.png", "ai1/5.png"]
    assert names(ImageDataset(folder, False, Filters(5.5, 768))) == [*others, "disc/0.png"]
    assert names(ImageDataset(folder, False, Filters(5.5, 801))) == others
    assert names(ImageDataset(folder, False)) == [*others, "disc/0.png", "disc/1.png"]


@pytest.mark.parametrize(
    ("resolution", "allowed"), [("768x1024", True), ("1024*512", False), (768, True), ([768.0, 900], True)]
)
def test_resolutions_in_every_spelling(resolution: object, allowed: bool) -> None:
    assert Filters(0, 768).accepts({"resolution": resolution}) is allowed


def test_says_what_is_missing(plain: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no images"):
        ImageDataset(tmp_path, masks=False)
    folder = tmp_path / "set"
    shutil.copytree(plain, folder)
    (folder / "mask" / "disc" / "0.png").unlink()
    (folder / "color" / "disc" / "1.png").write_bytes(b"no image")
    data = ImageDataset(folder, masks=True)
    with pytest.raises(DatasetError, match=r"mask/disc/0\.png"):
        data.read(0)
    with pytest.raises(DatasetError, match=r"color/disc/1\.png"):
        data.read(1)


def images(folder: Path) -> Path:
    """Three images, one too small, one broken."""
    (folder / "in").mkdir(parents=True)
    for number in range(3):
        cv2.imwrite(str(folder / "in" / f"{number}.png"), draw(number)[0][..., ::-1])
    Image.new("RGBA", (96, 96), (255, 0, 0, 0)).save(folder / "clear.webp")
    Image.new("RGB", (30, 90)).save(folder / "small.jpg")
    (folder / "broken.png").write_bytes(b"no image")
    return folder


def making(archive: int = 0) -> BuildOptions:
    gray = lambda rgb: rgb[..., 0]  # noqa: E731
    return BuildOptions(gray, gray, min_side=64, max_side=80, archive_size=archive)


@pytest.mark.parametrize("archive", [0, 2])
def test_makes_a_set_that_can_be_learned_from(tmp_path: Path, archive: int) -> None:
    heard: list[str] = []
    dataset = build_dataset(images(tmp_path / "all"), tmp_path / "set", making(archive), heard.append)
    assert dataset.count == len(heard) == 4
    assert sorted(reason.split(":")[0] for reason in dataset.left_out) == ["broken.png", "small.jpg"]
    data = ImageDataset(tmp_path / "set", masks=True)
    assert names(data) == sorted(heard)
    for number in range(4):
        sample = data.read(number)
        assert sample.mask is not None
        assert sample.color.shape[:2] == sample.sketch.shape == sample.mask.shape == (80, 80)
        assert np.array_equal(sample.sketch, 255 - sample.color[..., 0])
    assert {path.name for path in (tmp_path / "set").iterdir() if path.is_dir()} == {"color", "sketch", "mask"}
    clear = next(number for number, name in enumerate(names(data)) if "clear_webp" in name)
    assert (data.read(clear).color == 255).all()  # transparent is white paper


def test_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    source = images(tmp_path / "all")

    def interrupt(name: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_dataset(source, tmp_path / "set", making(2), interrupt)
    heard: list[str] = []
    assert build_dataset(source, tmp_path / "set", making(2), heard.append).count == 4
    assert len(heard) == 3
    assert len(ImageDataset(tmp_path / "set", masks=True)) == 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each time it is a copy of the process that is killed")
@pytest.mark.parametrize("archive", [0, 2])
def test_making_can_be_killed_at_every_file_it_touches(archive: int, project: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.unit.training.colorizediffusion.interrupted_build", str(tmp_path), str(archive)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 25


def test_names_that_would_be_one_are_two(tmp_path: Path) -> None:
    for number, name in enumerate(("a/b.png", "a_b.png", "A_b.png")):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 64), (50 * number, 0, 0)).save(tmp_path / "in" / name)
    assert build_dataset(tmp_path / "in", tmp_path / "set", making(), lambda name: None).count == 3
    data = ImageDataset(tmp_path / "set", masks=True)
    assert len({name.casefold() for name in names(data)}) == 3
    assert {int(data.read(number).color[0, 0, 0]) for number in range(3)} == {0, 50, 100}


def test_more_images_come_beside_archives_that_are_there(zipped: Path, tmp_path: Path) -> None:
    for part in ("color", "sketch", "mask"):
        (tmp_path / "set" / part).mkdir(parents=True)
        shutil.copy(zipped / part / "ai1.zip", tmp_path / "set" / part / "0000.zip")
    before = (tmp_path / "set" / "color" / "0000.zip").read_bytes()
    source = images(tmp_path / "all")
    assert build_dataset(source, tmp_path / "set", making(8), lambda name: None).count == 4
    Image.new("RGB", (64, 64)).save(source / "later.png")
    assert build_dataset(source, tmp_path / "set", making(8), lambda name: None).count == 5
    assert (tmp_path / "set" / "color" / "0000.zip").read_bytes() == before
    assert len(ImageDataset(tmp_path / "set", masks=True)) == 5  # those that are listed
    assert [path.name for path in sorted((tmp_path / "set" / "mask").iterdir())] == ["0000.zip", "0001.zip", "0002.zip"]


def test_the_command_makes_lines_and_foreground_masks(tmp_path: Path) -> None:
    source = images(tmp_path / "all")
    result = CliRunner().invoke(app, ["dataset", str(source), str(tmp_path / "set"), "--min-side", "64"])
    assert result.exit_code == 0, result.output
    assert "4 images" in result.output and "broken.png" in result.output
    data = ImageDataset(tmp_path / "set", masks=True)
    sample = next(data.read(n) for n in range(len(data)) if data.read(n).name.endswith("in_0.png"))
    _, line, mask = draw(0)
    assert sample.mask is not None
    assert (sample.sketch[line < 128] < 200).mean() > 0.3  # an edge is drawn on its darker side alone
    assert (sample.sketch[cv2.erode(line, np.ones((9, 9), np.uint8)) == 255] > 200).mean() > 0.9
    assert sample.mask.shape == mask.shape
