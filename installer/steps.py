"""The steps of the installation; a step that was done before is skipped."""

import sys
from collections.abc import Iterable
from pathlib import Path

from . import shipped_model
from .checkout import PROJECT
from .krita import kritarc
from .krita.installations import KritaInstallation, this_machine
from .krita.plugin import assemble_plugin, remove_plugin, tree_digest
from .krita.sandbox_obstacle import sandbox_obstacle
from .lock import hold_lock
from .messages import InstallError, info
from .python_environment import environment, requirements
from .smoke_test import run_smoke_test

LOCK_FILE = ".linewash-install.lock"
CHECK_STAMP = "linewash-checked"


def prepare_backend(extras: tuple[str, ...] = ("backend",)) -> tuple[Path, bool]:
    """Prepare the environment with ``extras`` and test the backend; returns (its Python, whether anything was done)."""
    requirements.check_python()
    with hold_lock(PROJECT / LOCK_FILE):
        python = environment.venv_python(PROJECT / ".venv", sys.platform)
        changed = not environment.is_current(PROJECT, extras)
        if changed:
            if not python.exists():
                requirements.check_space(PROJECT)
            environment.prepare_environment(PROJECT, extras, environment.system_tools(PROJECT))
        changed |= shipped_model.restore_damaged_files(PROJECT)
        return python, check_backend_once(python) or changed


def would_download() -> bool:
    """Whether any of the backend's packages must still be downloaded."""
    return not environment.is_current(PROJECT, ("backend",))


def check_backend_once(python: Path) -> bool:
    """Test the backend unless the same code passed before; whether it was tested."""
    stamp_file = PROJECT / ".venv" / CHECK_STAMP
    stamp = f"{environment.read_stamp(PROJECT)[0]} {tree_digest(PROJECT / 'backend')} {tree_digest(PROJECT / 'shared')}\n"
    if stamp_file.is_file() and stamp_file.read_text(encoding="utf-8") == stamp:
        return False
    info("Trying it out: a tiny drawing is colored (about half a minute the first time) ...")
    run_smoke_test(python, PROJECT)
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
