"""The checkpoint folder of a training run, replaced as a whole so that an interruption never leaves half of one."""

import shutil
from collections.abc import Callable
from pathlib import Path

from shared.atomic_file import flush_to_disk

NAME = "checkpoint"


def find_checkpoint(folder: Path) -> Path | None:
    """The last complete checkpoint in a training run's folder, None when there is none."""
    current, previous = folder / NAME, folder / f"{NAME}.old"
    if not current.exists() and previous.exists():  # interrupted between the two renames of ``replace_checkpoint``
        previous.rename(current)
    return current if current.exists() else None


def staging_folder(folder: Path) -> Path:
    """Where the next checkpoint is written before it takes the place of the last one."""
    return folder / f"{NAME}.new"


def replace_checkpoint(folder: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill the staging folder, then make that the checkpoint.

    Whenever this is interrupted, a complete checkpoint is left.
    """
    staging, current, previous = staging_folder(folder), folder / NAME, folder / f"{NAME}.old"
    shutil.rmtree(staging, ignore_errors=True)
    write(staging)
    # Else, after a power failure, an empty checkpoint might have taken the place of the old one.
    flush_to_disk(*staging.rglob("*"))
    shutil.rmtree(previous, ignore_errors=True)
    # Renames only, so that at any moment one of the two names holds a complete checkpoint.
    if current.exists():
        current.rename(previous)
    staging.rename(current)
    shutil.rmtree(previous, ignore_errors=True)
