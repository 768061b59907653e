"""Files that are whole or absent: whatever interrupts the writing, even a kill, nobody reads half of one."""

import contextlib
import os
from pathlib import Path
from typing import Generator

PART_SUFFIX = ".part"
"""How the name of a file ends that is not complete."""


def part_path(path: Path) -> Path:
    """Where ``path`` is written until it is complete: beside it, since only a rename within one disk is atomic."""
    return path.with_name(path.name + PART_SUFFIX)


@contextlib.contextmanager
def replace_atomically(path: Path) -> Generator[Path, None, None]:
    """Yield a path beside ``path`` to write to; when the block ends, that file takes the place of ``path``.

    An exception, also from Ctrl-C, removes the part and leaves ``path`` as it was.  A kill leaves the part, and the next write
    overwrites it.

    Example: ``with replace_atomically(target) as part: save(image, part)``
    """
    part = part_path(path)
    try:
        yield part
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # the first error says more than a failing clean-up
            part.unlink()
        raise


def write_atomically(path: Path, content: bytes) -> None:
    """Make ``content`` the whole of ``path``, or leave it as it was and raise OSError."""
    with replace_atomically(path) as part:
        part.write_bytes(content)


def flush_to_disk(*paths: Path) -> None:
    """Wait until files and folders are on the disk, so that a rename that follows is not there before them.

    Raises OSError, ENOSPC when the disk is full.
    """
    for path in paths:
        if path.is_dir() and os.name != "posix":  # Windows cannot open folders, and keeps renames by itself
            continue
        descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
