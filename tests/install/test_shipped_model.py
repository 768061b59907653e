"""A damaged model is put back, as its error promises the painter."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from installer.messages import InstallError
from installer.shipped_model import MODEL, SUMS, find_damaged_files, restore_damaged_files

WEIGHTS = b"weights"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / MODEL
    folder.mkdir(parents=True)
    (folder / "flats.safetensors").write_bytes(WEIGHTS)
    (folder / SUMS).write_text(f"{hashlib.sha256(WEIGHTS).hexdigest()}  flats.safetensors\n")
    return folder


@pytest.fixture
def clone(tmp_path: Path, folder: Path) -> Path:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    return tmp_path


def test_the_shipped_model_is_whole(project: Path) -> None:
    assert find_damaged_files(project / MODEL) == []


def test_a_whole_model_is_left_alone(tmp_path: Path, folder: Path) -> None:
    assert not restore_damaged_files(tmp_path)


@pytest.mark.parametrize("content", [b"weightz", None])
def test_damage_is_mended_from_git(clone: Path, folder: Path, content: bytes | None) -> None:
    file = folder / "flats.safetensors"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    assert find_damaged_files(folder) == ["flats.safetensors"]
    assert restore_damaged_files(clone)
    assert file.read_bytes() == WEIGHTS
    backup = folder / "flats.safetensors.damaged"
    assert backup.exists() == (content is not None)


def test_without_git_the_painter_is_asked_to_download_again(tmp_path: Path, folder: Path) -> None:
    (folder / "flats.safetensors").write_bytes(b"weightz")
    with pytest.raises(InstallError, match="Download Linewash again"):
        restore_damaged_files(tmp_path)


def test_a_missing_list_of_digests_counts_as_damage(clone: Path, folder: Path) -> None:
    (folder / SUMS).unlink()
    assert restore_damaged_files(clone)
    assert find_damaged_files(folder) == []
