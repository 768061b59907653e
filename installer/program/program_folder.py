"""Installs a release into the painter's home, updates, repairs and removes it.

``program/releases/`` holds the source, ``program/environments/`` the packages, and ``program/installation.json`` says which of
them are in use.  That file is replaced atomically and last, when the backend has colored a drawing: until then an update leaves
what was there in use, and nothing half-installed is ever started.  Releases with the same pins share an environment.
"""

import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from shared.atomic_file import write_atomically
from shared.paths import program_dir, program_file, setup_file
from shared.sandbox import current_sandbox
from shared.setup_progress import SetupPhase

from ..checkout import LOCK_NAME, PROJECT, Target
from ..devices.hardware import DeviceKind
from ..lock import hold_lock
from ..messages import info
from ..progress import ProgressReport
from ..python_environment import environment, requirements
from ..steps import Wish, check_backend_once, find_device
from .release import Release, copy_release, damaged_files, read_release


def install_program(home: Path, wish: Wish, report: ProgressReport, source: Path = PROJECT) -> bool:
    """Install the release in ``source`` into ``home``; whether anything was done.  Raises InstallError."""
    requirements.check_python()
    with hold_lock(_lock(home)):
        release = read_release(source)
        folder = _releases(home) / release.folder_name
        target, kind = _target(home, folder, source, wish, report)
        if wish.is_repair or not environment.is_current(replace(target, project=source), wish.extras, kind.value):
            _retire(home, target)
        changed = _place_release(source, release, folder, wish.is_repair, report)
        order = environment.make_order(target, wish.extras, environment.build_for(kind))
        changed |= environment.prepare_environment(order, environment.system_tools(), report, is_repair=wish.is_repair)
        python = environment.venv_python(target.venv, sys.platform)
        changed |= check_backend_once(python, target, report)
        installation = {
            "python": str(python),
            "project": str(folder),
            "home": str(home),
            "sandbox": current_sandbox(os.environ),
            "version": release.version,
            "protocol": release.protocol,
        }
        if read_installation(home) != installation:
            write_atomically(program_file(home), (json.dumps(installation, indent=2) + "\n").encode())
            changed = True
        _remove_others(_releases(home), folder)
        _remove_others(_environments(home), target.venv)
        return changed


def plan_program(home: Path, wish: Wish, report: ProgressReport, source: Path = PROJECT) -> None:
    """Find out how much installing the release in ``source`` would download, and tell ``report``."""
    requirements.check_python()
    with hold_lock(_lock(home)):
        target, kind = _target(home, source, source, wish, report)
        order = environment.make_order(target, wish.extras, environment.build_for(kind))
        environment.plan_environment(order, environment.system_tools(), report)


def read_installation(home: Path) -> dict[str, Any] | None:
    """What is installed in ``home`` and in use; None when nothing is."""
    try:
        installation = json.loads(program_file(home).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return installation if isinstance(installation, dict) else None


def installed_target(home: Path) -> Target | None:
    """Where the release in use lies; None when nothing is installed."""
    installation = read_installation(home)
    if installation is None:
        return None
    python = Path(str(installation.get("python", "")))
    project = Path(str(installation.get("project", "")))
    return Target(project, python.parent.parent, _downloads(home), _lock(home), False)


def remove_program(home: Path) -> None:
    """Remove all that ``install_program`` put into ``home``; the file that says what is in use goes first."""
    if not program_dir(home).exists() and not _lock(home).parent.exists():
        return
    with hold_lock(_lock(home)):
        program_file(home).unlink(missing_ok=True)
        for folder in (program_dir(home), _downloads(home)):
            if folder.is_dir():
                shutil.rmtree(folder)
                info(f"Removed {folder}")
    _lock(home).unlink(missing_ok=True)


def _place_release(source: Path, release: Release, folder: Path, is_repair: bool, report: ProgressReport) -> bool:
    if folder.is_dir() and not (is_repair and damaged_files(folder, release)):
        return False
    report.begin(SetupPhase.CHECK, f"Copying Linewash {release.version} to {folder} ...")
    folder.parent.mkdir(parents=True, exist_ok=True)
    copy_release(source, release, folder)
    return True


def _retire(home: Path, target: Target) -> None:
    """Take what is in use out of use when its own environment is about to be changed."""
    before = installed_target(home)
    if before is not None and before.venv == target.venv:
        program_file(home).unlink()


def _target(home: Path, folder: Path, source: Path, wish: Wish, report: ProgressReport) -> tuple[Target, DeviceKind]:
    """Where the release in ``source`` goes: its own ``folder``, and the environment that its pins ask for."""
    before = installed_target(home)
    kind = find_device(environment.read_stamp(before.venv).device if before else "", wish, report)
    pins = Target(source, _environments(home), _downloads(home), _lock(home), False)
    name = environment.fingerprint(pins, wish.extras, kind.value)[:16]
    return Target(folder, _environments(home) / name, _downloads(home), _lock(home), False), kind


def _remove_others(parent: Path, kept: Path) -> None:
    for folder in parent.iterdir():
        if folder != kept:
            shutil.rmtree(folder, ignore_errors=True)  # Windows refuses while a backend runs from it: the next time, then


def _releases(home: Path) -> Path:
    return program_dir(home) / "releases"


def _environments(home: Path) -> Path:
    return program_dir(home) / "environments"


def _downloads(home: Path) -> Path:
    return setup_file(home).parent / "downloads"


def _lock(home: Path) -> Path:
    return setup_file(home).parent / LOCK_NAME
