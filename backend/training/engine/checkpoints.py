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


def fresh(folder: Path) -> Path:
    """Where a run's next checkpoint is written before it is the checkpoint."""
    return folder / f"{NAME}.new"


def swap_in(folder: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a fresh folder, and then make that the checkpoint: whenever it is ended, a whole one is left."""
    new, current, old = fresh(folder), folder / NAME, folder / f"{NAME}.old"
    shutil.rmtree(new, ignore_errors=True)
    write(new)
    for path in new.rglob("*"):
        _to_disk(path)
    shutil.rmtree(old, ignore_errors=True)
    if current.exists():
        current.rename(old)
    new.rename(current)
    shutil.rmtree(old, ignore_errors=True)


def _to_disk(path: Path) -> None:
    """Power may go at any time, too: a rename must not be on the disk before what it renames."""
    if path.is_file():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
