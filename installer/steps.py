"""The steps of the installation; a step that was done before is skipped."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from shared.setup_progress import SetupPhase

from . import shipped_model
from .checkout import Target, checkout_target
from .devices.choice import AUTO, choose_device
from .devices.hardware import NAMES, DeviceKind, find_hardware, this_probe
from .krita import kritarc
from .krita.installations import KritaInstallation, this_machine
from .krita.plugin import assemble_plugin, remove_plugin, tree_digest
from .krita.sandbox_obstacle import sandbox_obstacle
from .lock import hold_lock
from .messages import InstallError, info
from .progress import ProgressReport
from .python_environment import environment, requirements
from .python_environment.resolver import Order
from .smoke_test import run_smoke_test

CHECK_STAMP = "linewash-checked"


@dataclass(frozen=True)
class Wish:
    """How the backend is to be installed."""

    extras: tuple[str, ...] = ("backend",)
    device: str | None = None
    """``AUTO`` or a ``DeviceKind``; None = as it was installed before, else as AUTO."""
    is_repair: bool = False
    """Look at every installed file."""
    ask: Callable[[str, int], int] | None = None
    """As for ``choose_device``."""


def prepare_backend(wish: Wish, report: ProgressReport) -> tuple[Path, bool]:
    """Prepare the checkout's environment and test the backend; returns (its Python, whether anything was done)."""
    requirements.check_python()
    target = checkout_target()
    with hold_lock(target.lock):
        changed = shipped_model.restore_damaged_files(target.project)
        changed |= prepare_environment(target, environment.read_stamp(target.venv).device, wish, report)
        python = environment.venv_python(target.venv, sys.platform)
        return python, check_backend_once(python, target, report) or changed


def plan_backend(wish: Wish, report: ProgressReport) -> None:
    """Find out how much would be downloaded into the checkout's environment, and tell ``report``."""
    requirements.check_python()
    target = checkout_target()
    with hold_lock(target.lock):
        order = order_for(target, environment.read_stamp(target.venv).device, wish, report)
        environment.plan_environment(order, environment.system_tools(), report)


def prepare_environment(target: Target, device_before: str, wish: Wish, report: ProgressReport) -> bool:
    """Prepare the environment of ``target``; whether anything was done.  device_before: '' = none."""
    order = order_for(target, device_before, wish, report)
    return environment.prepare_environment(order, environment.system_tools(), report, is_repair=wish.is_repair)


def order_for(target: Target, device_before: str, wish: Wish, report: ProgressReport) -> Order:
    """What is to be installed into ``target``."""
    kind = find_device(device_before, wish, report)
    return environment.make_order(target, wish.extras, environment.build_for(kind))


def find_device(device_before: str, wish: Wish, report: ProgressReport) -> DeviceKind:
    """The kind of device to install for; ``device_before`` is kept unless ``wish`` names one."""
    if device_before and wish.device is None:
        kind = DeviceKind(device_before)
    else:
        choice = choose_device(wish.device or AUTO, find_hardware(this_probe()), sys.platform, wish.ask)
        info(f"PyTorch is installed for {NAMES[choice.kind]} (--device {choice.kind.value}).")
        if choice.notice:
            info(choice.notice)
        kind = choice.kind
    report.note(device=kind.value)
    return kind


def check_backend_once(python: Path, target: Target, report: ProgressReport) -> bool:
    """Test the backend unless the same code passed before; whether it was tested."""
    stamp_file = target.venv / CHECK_STAMP
    code = [tree_digest(target.project / name) for name in ("backend", "shared")]
    stamp = f"{environment.read_stamp(target.venv).fingerprint} {code[0]} {code[1]}\n"
    if stamp_file.is_file() and stamp_file.read_text(encoding="utf-8") == stamp:
        return False
    report.begin(SetupPhase.TRY_OUT, "Trying it out: a tiny drawing is colored (about half a minute the first time) ...")
    run_smoke_test(python, target.project)
    stamp_file.write_text(stamp, encoding="utf-8")
    return True


def install_plugin(python: Path, home: Path, kritas: Iterable[KritaInstallation]) -> bool:
    """Put the plugin into each of ``kritas`` and enable it; whether anything changed.

    Raises InstallError when a folder cannot be written.
    """
    changed = False
    for krita in kritas:
        try:
            changed |= _install_into(krita, python, home)
        except OSError as error:
            raise InstallError(
                f"The plugin could not be written into {krita.resources}: {error.strerror or error}. "
                "Fix that, or name another folder with --krita-dir."
            ) from error
    return changed


def _install_into(krita: KritaInstallation, python: Path, home: Path) -> bool:
    before = tree_digest(krita.pykrita / "linewash")
    assemble_plugin(krita.pykrita, python, home)
    changed = tree_digest(krita.pykrita / "linewash") != before
    settings = kritarc.read(krita.settings)
    enabled = kritarc.enable(settings)
    if enabled != settings:
        kritarc.write(krita.settings, enabled)
        changed = True
    if krita.unused is not None and remove_plugin(krita.unused / "pykrita"):
        info(f"{krita.name}: the copy in {krita.unused} is removed, as the resource folder was moved.")
        changed = True
    if changed:
        info(f"{krita.name}: plugin installed in {krita.pykrita} and enabled in {krita.settings}.")
        obstacle = sandbox_obstacle(krita, this_machine())
        if obstacle is not None:
            info(f"{krita.name}: {obstacle.message} {obstacle.hint}")
    return changed
