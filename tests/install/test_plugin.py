"""The plugin arrives whole, twice changes nothing, and uninstall leaves nothing of it."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from install import assemble_plugin
from installer import steps, uninstall
from installer.krita.installations import KritaInstallation
from installer.krita.plugin import installed_version, remove_plugin, tree_digest
from installer.krita.vendor import prepare_libraries
from installer.messages import InstallError
from shared.protocol import PRODUCT_VERSION, PROTOCOL_VERSION

SETTINGS = b"[theme]\nTheme=Krita dark\n\n[python]\nenable_comics=true\n"


@pytest.fixture
def krita(tmp_path: Path) -> KritaInstallation:
    """A Krita with another plugin and settings of its own."""
    installation = KritaInstallation("Krita", tmp_path / "data" / "krita", tmp_path / "config" / "kritarc")
    (installation.pykrita / "comics").mkdir(parents=True)
    (installation.pykrita / "comics" / "__init__.py").write_text("theirs = 1\n")
    installation.settings.parent.mkdir()
    installation.settings.write_bytes(SETTINGS)
    return installation


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}


def test_all_parts_are_there(tmp_path: Path) -> None:
    folder = assemble_plugin(tmp_path / "pykrita", Path(sys.executable), tmp_path / "home")
    assert folder == tmp_path / "pykrita" / "linewash"
    assert (tmp_path / "pykrita" / "linewash.desktop").is_file()
    for part in ("__init__.py", "shared/protocol.py", "shared/client.py", "vendor/requests/__init__.py"):
        assert (folder / part).is_file(), part
    assert not list(folder.rglob("*.so")) + list(folder.rglob("*.pyd"))
    noted = json.loads((folder / "installation.json").read_text())
    assert noted["python"] == sys.executable
    assert noted["home"] == str(tmp_path / "home")
    assert noted["sandbox"] == ""
    assert (Path(noted["project"]) / "backend" / "__main__.py").is_file()
    assert (noted["version"], noted["protocol"]) == (PRODUCT_VERSION, PROTOCOL_VERSION)
    assert installed_version(tmp_path / "pykrita") == PRODUCT_VERSION


def test_without_a_backend_nothing_claims_there_is_one(tmp_path: Path) -> None:
    folder = assemble_plugin(tmp_path, None, None)
    assert not (folder / "installation.json").exists()
    assert installed_version(tmp_path) is None


def test_a_second_time_touches_no_file(tmp_path: Path) -> None:
    for _ in range(2):
        assemble_plugin(tmp_path, Path(sys.executable), None)
        after = snapshot(tmp_path)
    assemble_plugin(tmp_path, Path(sys.executable), None)
    assert snapshot(tmp_path) == after
    assert sorted(path.name for path in tmp_path.iterdir()) == ["linewash", "linewash.desktop"]


def test_an_older_plugin_and_the_rest_of_an_interrupted_run_are_replaced(tmp_path: Path) -> None:
    for name in ("linewash", ".linewash-new", ".linewash-old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "stale.py").write_text("")
    folder = assemble_plugin(tmp_path, Path(sys.executable), None)
    assert not (folder / "stale.py").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["linewash", "linewash.desktop"]


def test_a_developers_link_is_replaced_and_what_it_points_to_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "checkout"
    theirs.mkdir()
    (theirs / "work.py").write_text("")
    (tmp_path / "pykrita").mkdir()
    (tmp_path / "pykrita" / "linewash").symlink_to(theirs)
    folder = assemble_plugin(tmp_path / "pykrita", None, None)
    assert not folder.is_symlink()
    assert (theirs / "work.py").is_file()


def is_python_3_8(candidate: str) -> bool:
    """Whether ``candidate`` runs and is Python 3.8: pyenv puts a ``python3.8`` on the path that may only print a complaint."""
    code = "import sys; sys.exit(sys.version_info[:2] != (3, 8))"
    try:
        return subprocess.run([candidate, "-I", "-c", code], capture_output=True).returncode == 0
    except OSError:
        return False


PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
CANDIDATES = [*filter(None, [shutil.which("python3.8")]), *map(str, PYENV.glob("versions/3.8*/bin/python"))]
PYTHON_3_8 = next(([each] for each in reversed(CANDIDATES) if is_python_3_8(each)), [])


@pytest.mark.parametrize("python", [*PYTHON_3_8, sys.executable], ids=lambda path: Path(path).parts[-3])
def test_what_krita_imports_works_on_its_python(tmp_path: Path, python: str) -> None:
    folder = assemble_plugin(tmp_path, None, None)
    code = (
        f"import sys, compileall; sys.path[:0] = [{str(folder)!r}]; sys.path.append({str(folder / 'vendor')!r})\n"
        "import shared.client, shared.protocol, requests\n"
        f"sys.exit(not compileall.compile_dir({str(folder)!r}, quiet=1))"
    )
    done = subprocess.run([python, "-I", "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_install_enables_and_a_second_run_changes_nothing(krita: KritaInstallation, tmp_path: Path) -> None:
    python = Path(sys.executable)
    assert steps.install_plugin(python, tmp_path / "home", [krita])
    assert krita.settings.read_bytes() == SETTINGS.replace(b"[python]\n", b"[python]\nenable_linewash=true\n")
    before = snapshot(tmp_path)
    assert not steps.install_plugin(python, tmp_path / "home", [krita])
    assert snapshot(tmp_path) == before


def test_uninstall_leaves_krita_as_it_was(krita: KritaInstallation, tmp_path: Path) -> None:
    before = tree_digest(tmp_path)
    steps.install_plugin(Path(sys.executable), tmp_path / "home", [krita])
    assert tree_digest(tmp_path) != before
    uninstall.remove_from_krita(krita)
    assert tree_digest(tmp_path) == before
    assert not (krita.pykrita / "linewash").exists()
    assert remove_plugin(krita.pykrita) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    broken = KritaInstallation("Krita", tmp_path / "file", tmp_path / "kritarc")
    with pytest.raises(InstallError, match=r"could not be written into .*file.*--krita-dir"):
        steps.install_plugin(Path(sys.executable), tmp_path, [broken])


def wheel(folder: Path, name: str) -> None:
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.writestr("thing.py", "x = 1\n")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("thing-1-cp311-cp311-linux_x86_64.whl", "not a pure-Python wheel"), ("thing-1.tar.gz", "not a pure-Python wheel")],
)
def test_only_pure_python_goes_into_the_plugin(tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / "vendor.txt").write_text("thing==1")
    with pytest.raises(InstallError, match=sentence):
        prepare_libraries(lambda _, folder: wheel(folder, name), tmp_path / "vendor.txt", tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_vendoring_interrupted_starts_again_and_done_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "vendor.txt").write_text("thing==1")
    fetched: list[str] = []

    def vendor(fetch: Callable[[Path, Path], None]) -> Path:
        return prepare_libraries(fetch, tmp_path / "vendor.txt", tmp_path / "cache")

    def interrupted(_: Path, folder: Path) -> None:
        wheel(folder, "thing-1-py3-none-any.whl")
        raise KeyboardInterrupt

    def whole(_: Path, folder: Path) -> None:
        fetched.append("once")
        wheel(folder, "thing-1-py3-none-any.whl")

    with pytest.raises(KeyboardInterrupt):
        vendor(interrupted)
    assert vendor(whole) == vendor(whole)
    assert fetched == ["once"]
    assert [path.name for path in vendor(whole).iterdir()] == ["thing.py"]
    (tmp_path / "vendor.txt").write_text("thing==2")
    vendor(whole)
    assert fetched == ["once", "once"]


def test_a_digest_sees_names_and_contents_but_not_compiled_files(tmp_path: Path) -> None:
    assert tree_digest(tmp_path / "nothing") is None
    (tmp_path / "a").write_text("1")
    one = tree_digest(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("1")
    assert tree_digest(tmp_path) == one
    (tmp_path / "a").rename(tmp_path / "b")
    assert tree_digest(tmp_path) != one
