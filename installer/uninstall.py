"""``install.py uninstall``: everything goes but the painter's own files."""

import shutil
from pathlib import Path

from shared import paths

from . import kritarc
from .lock import only_one
from .places import Krita, known_kritas, kritas, this_machine
from .plugin import remove_plugin
from .steps import LOCK
from .stop import stop_server
from .text import InstallError, say
from .vendor import PROJECT


def uninstall(home: Path, krita_dir: Path | None, ask: bool) -> int:
    """Take Linewash off this computer; 0 when done, 1 when the painter says no (ask).

    Kept: results not yet taken into a picture and models the painter added; where they lie is said.
    """
    if ask and input("Remove Linewash (your pictures stay)? [y/N] ").strip().lower() not in ("y", "yes"):
        say("Nothing was removed.")
        return 1
    if not stop_server(home):
        raise InstallError("The running backend did not end. Close Krita, wait a minute and try again.")
    machine = this_machine()
    places = kritas(machine, krita_dir) if krita_dir else known_kritas(machine)
    for krita in places:
        remove_from(krita)
    with only_one(PROJECT / LOCK):
        remove_built(PROJECT)
    (PROJECT / LOCK).unlink(missing_ok=True)
    kept = remove_data(home)
    for folder in kept:
        say(f"Kept, because it is yours: {folder}")
    say("Linewash is removed. This folder itself can be deleted.")
    return 0


def remove_from(krita: Krita) -> None:
    """Take the plugin out of one Krita and its line out of the settings."""
    for path in remove_plugin(krita.pykrita):
        say(f"Removed {path}")
    settings = kritarc.read(krita.settings)
    without = kritarc.disable(settings)
    if without != settings:
        kritarc.edit(krita.settings, without)
        say(f"Removed our line from {krita.settings}")


def remove_built(project: Path) -> None:
    """Delete what the installer made inside the checkout ``project``."""
    for name in (".venv", "build", "linewash.egg-info"):
        if (project / name).is_dir():
            shutil.rmtree(project / name)
            say(f"Removed {project / name}")


def remove_data(home: Path) -> list[Path]:
    """Delete from ``home`` what is not the painter's own; the folders that stay: unfetched results and added models."""
    shutil.rmtree(paths.runtime_dir(home), ignore_errors=True)
    shutil.rmtree(paths.log_file(home).parent, ignore_errors=True)
    kept = [folder for folder in (paths.jobs_dir(home), paths.models_dir(home)) if folder.is_dir() and any(folder.iterdir())]
    if not kept:
        shutil.rmtree(home, ignore_errors=True)
    return kept
