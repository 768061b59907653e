"""The installation itself, one step after the other; each is skipped where it was done already."""

import sys
from collections.abc import Iterable
from pathlib import Path

from . import shipped_model
from .checkout import PROJECT
from .krita import kritarc
from .krita.installations import KritaInstallation
from .krita.plugin import assemble_plugin, tree_digest
from .lock import hold_lock
from .messages import InstallError, info
from .python_environment import environment, requirements
from .smoke_test import run_smoke_test

LOCK_FILE = ".linewash-install.lock"
CHECK_STAMP = "linewash-checked"


def prepare_backend(extras: tuple[str, ...] = ("backend",)) -> tuple[Path, bool]:
    """Make the environment ready with ``extras`` and try the backend out; (its Python, whether anything was done)."""
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
    """Whether the backend's packages are still to be fetched, all or some."""
    return not environment.is_current(PROJECT, ("backend",))


def check_backend_once(python: Path) -> bool:
    """Try the backend out unless this very code passed before; whether it was tried."""
    mark = PROJECT / ".venv" / CHECK_STAMP
    wanted = f"{environment.read_stamp(PROJECT)[0]} {tree_digest(PROJECT / 'backend')} {tree_digest(PROJECT / 'shared')}\n"
    if mark.is_file() and mark.read_text(encoding="utf-8") == wanted:
        return False
    info("Trying it out: a tiny drawing is colored (about half a minute the first time) ...")
    run_smoke_test(python, PROJECT)
    mark.write_text(wanted, encoding="utf-8")
    return True


def install_plugin(python: Path, home: Path, places: Iterable[KritaInstallation]) -> bool:
    """Put the plugin into every Krita of ``places`` and enable it; whether anything changed.

    Raises InstallError when a folder cannot be written.
    """
    changed = False
    for krita in places:
        try:
            changed |= _install_into(krita, python, home)
        except OSError as error:
            raise InstallError(
                f"The plugin could not be written into {krita.resources}: {error.strerror or error}. "
                "Mend that, or name another folder with --krita-dir."
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
    if changed:
        info(f"{krita.name}: plugin installed in {krita.pykrita} and enabled in {krita.settings}.")
    return changed
