"""The zip that Krita imports: whole, the same each time, and laid out as Krita's importer wants it."""

import hashlib
import importlib.util
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def release(project: Path) -> Any:
    """The module scripts/make_release.py."""
    spec = importlib.util.spec_from_file_location("make_release", project / "scripts" / "make_release.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def archive(release: Any, project: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    path = tmp_path_factory.mktemp("release") / "linewash.zip"
    release.write_zip(path, release.release_files(release.program_files(project)))
    return zipfile.ZipFile(path)


def test_the_importer_finds_exactly_one_plugin(archive: zipfile.ZipFile) -> None:
    """It takes every .desktop for a plugin, and the first entry that is or ends in /linewash/ for its folder."""
    names = archive.namelist()
    assert [name for name in names if name.endswith((".desktop", ".action"))] == ["linewash.desktop"]
    assert [name for name in names if name == "linewash/" or name.endswith("/linewash/")] == ["linewash/"]
    assert "linewash/__init__.py" in names


def test_folders_come_before_their_files(archive: zipfile.ZipFile) -> None:
    seen = {"."}
    for name in archive.namelist():
        parent = name.rstrip("/").rpartition("/")[0] or "."
        assert parent in seen, name
        seen.add(name.rstrip("/"))


def test_the_same_files_make_the_same_zip(release: Any, tmp_path: Path) -> None:
    files = {"linewash/b.py": b"b", "linewash/a/c.py": b"c" * 999}
    release.write_zip(tmp_path / "one.zip", files)
    release.write_zip(tmp_path / "two.zip", dict(reversed(files.items())))
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_the_release_names_every_file_of_the_program_and_its_digest(archive: zipfile.ZipFile) -> None:
    record = json.loads(archive.read("linewash/program/RELEASE"))
    prefix = "linewash/program/"
    files = {name[len(prefix) :] for name in archive.namelist() if name.startswith(prefix) and not name.endswith("/")}
    assert set(record["files"]) == files - {"RELEASE"}
    for name, digest in record["files"].items():
        assert hashlib.sha256(archive.read(prefix + name)).hexdigest() == digest


def test_everything_that_is_needed_is_there_and_nothing_else(archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    wanted = ("install.py", "installer/cli.py", "backend/__main__.py", "backend/data/mini/flats.safetensors", "shared/paths.py")
    assert not [name for name in wanted if f"linewash/program/{name}" not in names]
    for name in ("linewash/vendor/requests/__init__.py", "linewash/shared/paths.py", "linewash/LICENSE"):
        assert name in names
    assert not [name for name in names if name.endswith(".pyc") or "__pycache__" in name]
