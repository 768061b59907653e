"""A file lock that allows one installer per checkout or home at a time; the system releases it when the processes end."""

import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from .messages import InstallError

PATIENCE_S = 2.0
"""What an installer that was killed had started may need a moment to end."""


@contextmanager
def hold_lock(path: Path, patience_s: float = PATIENCE_S) -> Generator[None]:
    """Hold the lock ``path`` inside the ``with`` block; InstallError when another process holds it for ``patience_s`` seconds.

    On POSIX the processes that ``subprocesses.run_guarded`` starts hold it too, until they end.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _wait_for(handle, time.monotonic() + patience_s)
        if sys.platform != "win32":
            os.set_inheritable(handle, True)
        yield
    finally:
        os.close(handle)


def _wait_for(handle: int, end_s: float) -> None:
    while True:
        try:
            return _acquire(handle)
        except OSError as error:
            if time.monotonic() >= end_s:
                raise InstallError("Another Linewash installer is at work on this folder. Wait until it is done.") from error
            time.sleep(0.1)


if sys.platform == "win32":
    import msvcrt

    def _acquire(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _acquire(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
