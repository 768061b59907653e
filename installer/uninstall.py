"""``install.py uninstall``: everything goes but the painter's own files."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from shared import paths

from .checkout import PROJECT
from .krita import kritarc
from .krita.installations import KritaInstallation
from .krita.plugin import remove_plugin
from .lock import hold_lock
from .messages import InstallError, info
from .steps import LOCK_FILE
from .stop_backend import stop_server

BUILD_FOLDERS = (".venv", "build", "linewash.egg-info", "artifacts", ".pytest_cache", ".ruff_cache", ".hypothesis")


def uninstall(home: Path, places: Iterable[KritaInstallation], project: Path = PROJECT) -> None:
    """Take Linewash off this computer: out of every Krita of ``places``, out of ``project`` and out of ``home``.

    Kept: results not yet inserted into a document and models the painter added; where they lie is said.  Raises InstallError
    when a running backend does not end.
    """
    if not stop_server(home):
        raise InstallError("The running backend did not end. Close Krita, wait a minute and try again.")
    for krita in places:
        remove_from_krita(krita)
    with hold_lock(project / LOCK_FILE):
        remove_build_files(project)
    (project / LOCK_FILE).unlink(missing_ok=True)
    for folder in remove_data(home):
        info(f"Kept, because it is yours: {folder}")
    info("Linewash is removed. The folder it was installed from can be deleted now.")


def remove_from_krita(krita: KritaInstallation) -> None:
    """Take the plugin out of one Krita and its line out of the settings; what is empty then goes too."""
    removed = remove_plugin(krita.pykrita)
    for path in removed:
        info(f"Removed {path}")
    for folder in (krita.pykrita, krita.resources):
        if removed and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    settings = kritarc.read(krita.settings)
    without = kritarc.disable(settings)
    if without != settings:
        info(f"Removed our line from {krita.settings}")
        if without:
            kritarc.write(krita.settings, without)
        else:  # it held nothing else: Krita never wrote it
            krita.settings.unlink()


def remove_build_files(project: Path) -> None:
    """Delete what the installer, the tests and Python made inside the checkout ``project``."""
    for name in BUILD_FOLDERS:
        if (project / name).is_dir():
            shutil.rmtree(project / name)
            info(f"Removed {project / name}")
    for compiled in list(project.rglob("__pycache__")):
        shutil.rmtree(compiled)


def remove_data(home: Path) -> list[Path]:
    """Delete from ``home`` what is not the painter's own; the folders that stay: unfetched results and added models."""
    shutil.rmtree(paths.runtime_dir(home), ignore_errors=True)
    shutil.rmtree(paths.log_file(home).parent, ignore_errors=True)
    jobs, models = paths.jobs_dir(home), paths.models_dir(home)
    for job in _folders(jobs):
        if not (job / "result").is_dir():
            shutil.rmtree(job)
    kept = [folder for folder in (jobs, models) if folder.is_dir() and any(folder.iterdir())]
    for folder in (jobs, models, home):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return kept


def _folders(parent: Path) -> list[Path]:
    return [path for path in parent.iterdir() if path.is_dir()] if parent.is_dir() else []
