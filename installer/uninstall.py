"""``install.py uninstall``: removes everything but the painter's own files."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from shared import paths

from .checkout import LOCK_NAME, PROJECT, is_release
from .krita import kritarc
from .krita.installations import KritaInstallation
from .krita.plugin import remove_plugin
from .lock import hold_lock
from .messages import InstallError, info
from .program.program_folder import remove_program
from .stop_backend import stop_server

BUILD_FOLDERS = (".venv", "build", "linewash.egg-info", "artifacts", ".pytest_cache", ".ruff_cache", ".hypothesis")


def uninstall(home: Path, kritas: Iterable[KritaInstallation], project: Path = PROJECT) -> None:
    """Remove Linewash from each of ``kritas``, from ``project`` and from ``home``.

    Results not yet inserted into a document and models that the painter added are kept, and their folders printed.  Raises
    InstallError when a running backend does not stop.
    """
    if not stop_server(home):
        raise InstallError("The running backend did not end. Close Krita, wait a minute and try again.")
    for krita in kritas:
        remove_from_krita(krita)
    remove_program(home)
    if not is_release(project):
        with hold_lock(project / LOCK_NAME):
            remove_build_files(project)
        (project / LOCK_NAME).unlink(missing_ok=True)
    for folder in remove_data(home):
        info(f"Kept, because it is yours: {folder}")
    folder = "" if is_release(project) else " The folder it was installed from can be deleted now."
    info(f"Linewash is removed.{folder}")


def remove_from_krita(krita: KritaInstallation) -> None:
    """Remove the plugin from one Krita and its line from the settings; folders and settings left empty are deleted too."""
    for resources in filter(None, (krita.resources, krita.unused)):
        removed = remove_plugin(resources / "pykrita")
        for path in removed:
            info(f"Removed {path}")
        for folder in (resources / "pykrita", resources):
            if removed and folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
    settings = kritarc.read(krita.settings)
    remaining = kritarc.disable(settings)
    if remaining != settings:
        info(f"Removed our line from {krita.settings}")
        if remaining:
            kritarc.write(krita.settings, remaining)
        else:  # it contained nothing else, so the installer created it, not Krita
            krita.settings.unlink()


def remove_build_files(project: Path) -> None:
    """Delete the files that the installer, the tests and Python created in the checkout ``project``."""
    for name in BUILD_FOLDERS:
        if (project / name).is_dir():
            shutil.rmtree(project / name)
            info(f"Removed {project / name}")
    for cache in list(project.rglob("__pycache__")):
        shutil.rmtree(cache)


def remove_data(home: Path) -> list[Path]:
    """Delete the program's data in ``home``; returns the folders that stay, of unclaimed results and of added models."""
    shutil.rmtree(paths.runtime_dir(home), ignore_errors=True)
    shutil.rmtree(paths.log_file(home).parent, ignore_errors=True)
    jobs, models = paths.jobs_dir(home), paths.models_dir(home)
    for job in _folders(jobs):
        if not (job / "result").is_dir():
            shutil.rmtree(job)
    remaining = [folder for folder in (jobs, models) if folder.is_dir() and any(folder.iterdir())]
    for folder in (jobs, models, home):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return remaining


def _folders(parent: Path) -> list[Path]:
    return [path for path in parent.iterdir() if path.is_dir()] if parent.is_dir() else []
