"""A file lock that allows one installer per checkout at a time; the system releases it when the process ends."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from .messages import InstallError


@contextmanager
def hold_lock(path: Path) -> Generator[None]:
    """Hold the lock ``path`` inside the ``with`` block; raises InstallError at once when another process holds it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(handle)
    except OSError as error:
        os.close(handle)
        raise InstallError("Another Linewash installer is at work on this folder. Wait until it is done.") from error
    try:
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _acquire(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _acquire(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
