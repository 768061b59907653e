"""What is deleted by a name: the model, parts of its download, what lies beside it; and nothing outside the models folder."""

from pathlib import Path

import pytest

from backend.weights.detection import CLIP_WIDTHS, DOWNLOAD_LOCK, find_companions, scan_models
from backend.weights.hub_download import RemoteFile, download_part_path
from backend.weights.known_downloads import CLIP
from backend.weights.removal import (
    delete_files,
    find_linked_folders,
    list_model_files,
    list_partial_downloads,
    model_name_of_part,
)
from tests.unit.weights.test_detection import LATENT, write

CLIP_WIDTH = next(iter(CLIP_WIDTHS))
VISION = ("vision_model.embeddings.class_embedding",)


def part_for(target: Path) -> Path:
    """An unfinished download of that file."""
    part = download_part_path(target, RemoteFile("someone/Weights", target.name, "", "0123456789abcdef" * 4, 9))
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(b"half")
    return part


def download_of_clip(models: Path) -> Path:
    """CLIP as its download leaves it."""
    folder = models / CLIP.folder
    for file in CLIP.files[1:]:
        write(folder / file, VISION)
    (folder / DOWNLOAD_LOCK).touch()
    return write(folder / CLIP.files[0], VISION, CLIP_WIDTH)


def test_clip_has_one_name_from_download_to_deletion(tmp_path: Path) -> None:
    path = download_of_clip(tmp_path)
    assert [(each.name, each.kind) for each in scan_models(tmp_path)] == [(CLIP.name, CLIP.name)]
    assert list_model_files(CLIP.name, tmp_path) == [path] and list_model_files("model", tmp_path) == []
    delete_files(list_model_files(CLIP.name, tmp_path), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", CLIP.files)
def test_a_part_of_its_download_goes_by_the_same_name(tmp_path: Path, file: str) -> None:
    part = part_for(tmp_path / CLIP.folder / file)
    assert list_partial_downloads(tmp_path) == [part] and model_name_of_part(part, tmp_path) == CLIP.name
    assert list_model_files(CLIP.name, tmp_path) == [part]
    delete_files([part], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_part_goes_with_the_weights_beside_it(tmp_path: Path) -> None:
    download_of_clip(tmp_path)
    (tmp_path / CLIP.folder / "vocab.json").unlink()
    part_for(tmp_path / CLIP.folder / "vocab.json")
    delete_files(list_model_files(CLIP.name, tmp_path), tmp_path)
    assert not find_companions(scan_models(tmp_path)) and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", ["Switch 2.safetensors", "Switch 2.ckpt"])
def test_parts_of_other_downloads_go_by_their_stem(tmp_path: Path, file: str) -> None:
    part, other = part_for(tmp_path / file), part_for(tmp_path / "switch.safetensors")
    delete_files(list_model_files("switch-2", tmp_path), tmp_path)
    assert not part.exists() and other.exists()


def test_a_description_goes_and_a_folder_with_something_else_stays(tmp_path: Path) -> None:
    for place in ("tiny", "a/small", "b/large"):
        path = write(tmp_path / f"{place}.safetensors", LATENT)
        path.with_suffix(".json").write_text("{}", encoding="utf-8")
    (tmp_path / "b" / "notes.md").write_text("mine", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    for name in ("tiny", "small", "large"):
        delete_files(list_model_files(name, tmp_path), tmp_path)
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert left == ["b", "b/notes.md", "notes.txt"]


def test_a_file_that_is_a_link_is_unlinked_and_its_target_stays(tmp_path: Path) -> None:
    target = write(tmp_path / "disk" / "tiny.safetensors", LATENT)
    description = target.with_suffix(".json")
    description.write_text("{}", encoding="utf-8")
    models = tmp_path / "models"
    (models / "a").mkdir(parents=True)
    for file in (target, description):
        (models / "a" / file.name).symlink_to(file)
    delete_files(list_model_files("tiny", models), models)
    assert list(models.iterdir()) == [] and target.is_file() and description.is_file()


@pytest.mark.parametrize("place", ["disk", "models", "models/other"])
def test_nothing_is_deleted_through_a_folder_that_is_a_link(tmp_path: Path, place: str) -> None:
    models, target = tmp_path / "models", tmp_path / place
    models.mkdir()
    path = write(target / "tiny.safetensors", LATENT)
    beside = [path.with_suffix(".json"), target / "notes.txt"]
    for each in beside:
        each.write_text("{}", encoding="utf-8")
    link = models / "link"
    link.symlink_to(target, target_is_directory=True)
    paths = [link / path.name]
    assert find_linked_folders(paths, models) == [link]
    delete_files(paths, models)
    assert link.is_symlink() and path.is_file() and all(each.is_file() for each in beside)


def test_the_models_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    path = write(tmp_path / "disk" / "a" / "tiny.safetensors", LATENT)
    models = tmp_path / "models"
    models.symlink_to(tmp_path / "disk", target_is_directory=True)
    paths = list_model_files("tiny", models)
    assert find_linked_folders(paths, models) == []
    delete_files(paths, models)
    assert not path.parent.exists()
