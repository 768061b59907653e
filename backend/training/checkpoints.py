"""Checkpoints on disk: swapped in whole, and a small one that travels."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

NAME = "checkpoint"


def newest(folder: Path) -> Path | None:
    """The last whole checkpoint of a run's folder, None when there is none."""
    current, old = folder / NAME, folder / f"{NAME}.old"
    if not current.exists() and old.exists():  # ended between the two renames of ``swap_in``
        old.rename(current)
    return current if current.exists() else None


def swap_in(folder: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a fresh folder, and then make that the checkpoint: whenever it is ended, a whole one is left."""
    fresh, current, old = (folder / f"{NAME}{end}" for end in (".new", "", ".old"))
    shutil.rmtree(fresh, ignore_errors=True)
    write(fresh)
    for path in fresh.rglob("*"):
        _to_disk(path)
    shutil.rmtree(old, ignore_errors=True)
    if current.exists():
        current.rename(old)
    fresh.rename(current)
    shutil.rmtree(old, ignore_errors=True)


def _to_disk(path: Path) -> None:
    """Power may go at any time, too: a rename must not be on the disk before what it renames."""
    if path.is_file():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
