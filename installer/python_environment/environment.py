"""Prepares a virtual environment with the pinned packages, and writes a stamp at the end.

The stamp holds a fingerprint of everything that the packages depend on.  When the stamp is missing or has another fingerprint,
the packages are installed again into whatever an interrupted run left.  So a second run changes nothing, and an interrupted
one continues.
"""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.atomic_file import write_atomically
from shared.setup_progress import SetupPhase

from ..checkout import Target
from ..devices.hardware import DeviceKind
from ..devices.torch_builds import TorchBuild, torch_builds
from ..messages import InstallError, format_gigabytes, format_megabytes
from ..progress import ProgressReport
from ..subprocesses import capture_output, run_guarded
from . import installation, integrity, pip_process
from .explain import install_error
from .packages import Package, missing_packages, remaining_bytes
from .requirements import free_bytes
from .resolver import HASHED_REQUIREMENTS, Order, resolve

STAMP = "linewash-install.json"

_PIP_BYTES = 30_000_000
"""An environment with nothing but pip takes less."""


@dataclass(frozen=True)
class Stamp:
    """What an environment says of itself; all empty when it was never completed."""

    fingerprint: str = ""
    extras: frozenset[str] = frozenset()
    device: str = ""
    """A ``DeviceKind``; '' = an installer that did not know of devices."""


@dataclass(frozen=True)
class Tools:
    """The outside effects of preparing an environment; tests pass quick substitutes."""

    create: Callable[[Path], None]
    """``create(folder)`` makes an empty virtual environment; raises InstallError."""
    works: Callable[[Path], bool]
    """``works(python)``: whether that Python runs, has pip and has the version of the running Python."""
    install: Callable[[Path, Order, bool, ProgressReport], None]
    """``install(python, order, is_fresh, report)`` makes the environment have all packages of ``order``; raises InstallError.

    is_fresh: it was made just now, so no earlier run left anything in it.
    """


def system_tools() -> Tools:
    """The real tools: the running Python's venv and the environment's pip."""

    def create(folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        status, text = run_guarded(Path(sys.executable), ("venv", folder))
        if status != 0:
            if free_bytes(folder) < _PIP_BYTES:
                raise install_error("disk_full")
            raise InstallError(f"The virtual environment could not be made in {folder}: {text.strip()[-300:]}")

    def works(python: Path) -> bool:
        code = f"import pip, sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]!r})"
        return capture_output([python, "-c", code])[0] == 0

    return Tools(create, works, install_order)


def install_order(python: Path, order: Order, is_fresh: bool, report: ProgressReport) -> None:
    """Resolve, download and install what the environment lacks."""
    packages = missing_of(python, order, is_fresh, report)
    digests = installation.download(python, order, packages, report)
    installation.install(python, order, packages, digests, report)


def missing_of(python: Path, order: Order, is_fresh: bool, report: ProgressReport) -> tuple[Package, ...]:
    """The packages of ``order`` that the environment lacks, or has only a part of; what is left of a part is forgotten."""
    inventory = integrity.Inventory({}, ())
    if not is_fresh:
        folder = pip_process.site_packages(order.target.venv)
        report.begin(SetupPhase.CHECK, "Checking what is installed already ...")
        inventory = integrity.take_inventory(folder, report=lambda name: report.advance(0, name))
        integrity.remove_rubble(folder, inventory.damaged)
    pip_process.update_pip(python, order.target.project, report)
    return missing_packages(resolve(python, order, report), inventory.intact)


def venv_python(venv: Path, platform: str) -> Path:
    """The Python of a virtual environment."""
    return venv / "Scripts" / "python.exe" if platform == "win32" else venv / "bin" / "python"


def fingerprint(
    target: Target, extras: Iterable[str], device: str = DeviceKind.CPU.value, version: Sequence[int] = sys.version_info[:2]
) -> str:
    """SHA-256 over all the environment depends on: pins, dependencies, extras, device, Python version, linked folder."""
    digest = hashlib.sha256()
    names = [HASHED_REQUIREMENTS[extra] for extra in sorted(extras) if extra in HASHED_REQUIREMENTS]
    for name in ("pyproject.toml", "constraints.txt", *names):
        digest.update((target.project / name).read_bytes() + b"\0")
    linked = str(target.project) if target.is_editable else ""
    digest.update(repr((sorted(extras), device, tuple(version[:2]), linked)).encode())
    return digest.hexdigest()


def read_stamp(venv: Path) -> Stamp:
    """What the environment ``venv`` said of itself when it was last completed."""
    try:
        stamp = json.loads((venv / STAMP).read_text(encoding="utf-8"))
        return Stamp(str(stamp["fingerprint"]), frozenset(stamp["extras"]), str(stamp.get("device", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return Stamp()


def is_current(target: Target, extras: Iterable[str], device: str | None = None) -> bool:
    """Whether the environment is complete, up to date and includes ``extras``; device: and is for it (None = any)."""
    stamp = read_stamp(target.venv)
    return (
        bool(stamp.fingerprint)
        and venv_python(target.venv, sys.platform).exists()  # a link to a Python that was removed since does not
        and set(extras) <= stamp.extras
        and device in (None, stamp.device)
        and stamp.fingerprint == fingerprint(target, stamp.extras, stamp.device)
    )


def make_order(target: Target, extras: Iterable[str], build: TorchBuild) -> Order:
    """What ``prepare_environment`` installs: extras installed earlier stay."""
    all_extras = tuple(sorted(set(extras) | read_stamp(target.venv).extras))
    return Order(target, all_extras, build, fingerprint(target, all_extras, build.device.value))


def prepare_environment(
    order: Order, tools: Tools, report: ProgressReport, platform: str = sys.platform, is_repair: bool = False
) -> bool:
    """Make the environment have the packages of ``order``; whether anything had to be done.  Raises InstallError.

    is_repair: look at every file, also when the stamp says that all is well.
    """
    if not is_repair and is_current(order.target, order.extras, order.build.device.value):
        return False
    python, is_fresh = open_environment(order.target.venv, tools, report, platform)
    tools.install(python, order, is_fresh, report)
    stamp = {"fingerprint": order.key, "extras": order.extras, "device": order.build.device.value}
    write_atomically(order.target.venv / STAMP, (json.dumps(stamp, indent=2) + "\n").encode())
    installation.remove_downloads(order.target)
    return True


def plan_environment(order: Order, tools: Tools, report: ProgressReport, platform: str = sys.platform) -> None:
    """Find out what ``prepare_environment`` would download, and tell ``report``; nothing that works is touched."""
    if is_current(order.target, order.extras, order.build.device.value):
        report.begin(SetupPhase.RESOLVE, "Everything is in place already.")
        return
    python, is_fresh = open_environment(order.target.venv, tools, report, platform)
    packages = missing_of(python, order, is_fresh, report)
    left = remaining_bytes(packages, order.target.downloads)
    needed, free = installation.needed_bytes(order, packages), free_bytes(order.target.venv)
    sentence = f"{format_megabytes(left)} are to be downloaded; {format_gigabytes(needed)} of disk space are needed."
    report.begin(SetupPhase.RESOLVE, sentence, left)
    report.note(needed_bytes=needed, free_bytes=free)


def open_environment(venv: Path, tools: Tools, report: ProgressReport, platform: str = sys.platform) -> tuple[Path, bool]:
    """A working environment without a stamp; (its Python, whether it was made just now).  Raises InstallError."""
    python = venv_python(venv, platform)
    (venv / STAMP).unlink(missing_ok=True)
    if venv.exists() and not tools.works(python):
        report.begin(SetupPhase.CHECK, "The virtual environment is incomplete or of another Python; making it anew.")
        shutil.rmtree(venv)
    is_fresh = not venv.exists()
    if is_fresh:
        report.begin(SetupPhase.CHECK, f"Making the virtual environment {venv} ...")
        tools.create(venv)
    return python, is_fresh


def build_for(kind: DeviceKind, platform: str = sys.platform) -> TorchBuild:
    """The build of PyTorch for ``kind`` on this system."""
    return torch_builds(platform)[kind]
