"""Processes that a test has started and not ended; on Linux, nothing is found elsewhere."""

import os
import signal
import time
from pathlib import Path

_WAIT_S = 10.0
"""How long a process that was told to end may take, seconds."""
_POLL_S = 0.1


def find_python_processes(folder: Path) -> dict[int, str]:
    """Number -> command of every Python but this one that has ``folder`` in its command or environment.

    A backend has its home in its command, the worker that it starts has it in the environment.
    """
    found: dict[int, str] = {}
    inside = os.fsencode(folder) + b"/"  # pytest-3 is no part of pytest-31
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            text = b" ".join(command) + (process / "environ").read_bytes()
        except OSError:  # it has ended, or is somebody else's
            continue
        is_python = os.path.basename(command[0]).startswith(b"python")  # noqa: PTH119  bytes are no path
        if is_python and inside in text and int(process.name) != os.getpid():
            found[int(process.name)] = os.fsdecode(b" ".join(command)).strip()
    return found


def end_leftovers(folder: Path, wait_s: float = _WAIT_S) -> list[str]:
    """The commands of those that do not end by themselves in ``wait_s``; they are killed."""
    until = time.monotonic() + wait_s
    while (left := find_python_processes(folder)) and time.monotonic() < until:
        time.sleep(_POLL_S)
    for number in left:
        os.kill(number, signal.SIGKILL)
    return sorted(left.values())
