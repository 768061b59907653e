"""install.py speaks to any Python, and refuses in whole sentences."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from install import refusal
from installer.lock import hold_lock
from installer.messages import InstallError
from installer.python_environment import requirements


def test_it_parses_on_every_python_3(project: Path) -> None:
    ast.parse((project / "install.py").read_text(encoding="utf-8"), feature_version=(3, 4))


@pytest.mark.parametrize("version", [(2, 7), (3, 6), (3, 9, 18)])
def test_an_old_python_is_refused_with_what_to_do(version: tuple[int, ...]) -> None:
    sentence = refusal(version)
    assert sentence is not None
    assert f"this is Python {version[0]}.{version[1]}" in sentence
    assert "3.10 or newer" in sentence


@pytest.mark.parametrize("version", [(3, 10, 0), (3, 13, 2), (4, 0)])
def test_a_newer_python_is_let_pass(version: tuple[int, ...]) -> None:
    assert refusal(version) is None


OLD = [path for name in ("2.7", "3.6", "3.7", "3.8", "3.9") if (path := shutil.which(f"python{name}"))]


def runs(python: str) -> bool:
    return subprocess.run([python, "-c", ""], capture_output=True).returncode == 0


def test_every_old_python_of_this_machine_reads_the_sentence(project: Path) -> None:
    for python in filter(runs, OLD):
        done = subprocess.run([python, project / "install.py"], capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr.startswith("Linewash needs Python 3.10 or newer, and this is Python ")
        assert "Traceback" not in done.stderr


def test_debian_without_venv_gets_the_name_of_the_package() -> None:
    assert "sudo apt install python3-venv" in requirements.missing_venv_sentence("linux")
    assert "python.org" in requirements.missing_venv_sentence("darwin")


@pytest.mark.parametrize("lacking", ["venv", "ensurepip"])
def test_a_python_without_what_it_takes_is_refused(lacking: str) -> None:
    with pytest.raises(InstallError) as caught:
        requirements.check_python(lambda name: None if name == lacking else name)
    assert str(caught.value) == requirements.missing_venv_sentence(sys.platform)
    requirements.check_python()


def test_unsupported_computers_are_named() -> None:
    assert "32-bit" in str(requirements.unsupported_sentence("win32", "x86", False))
    assert "Intel" in str(requirements.unsupported_sentence("darwin", "x86_64", True))
    assert requirements.unsupported_sentence("darwin", "arm64", True) is None
    assert requirements.unsupported_sentence("linux", "x86_64", True) is None


def test_too_little_space_says_how_much_is_needed(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match=r"needs 3\.0 GB .* only 2\.9 GB are free"):
        requirements.check_space(tmp_path, 2_900_000_000, 3_000_000_000)
    requirements.check_space(tmp_path, 3_000_000_000, 3_000_000_000)
    assert requirements.free_bytes(tmp_path / "not" / "yet") > 0


def test_two_installers_do_not_work_at_once(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with hold_lock(lock), pytest.raises(InstallError, match="Another Linewash installer"), hold_lock(lock, patience_s=0.2):
        pass
    with hold_lock(lock):
        pass
