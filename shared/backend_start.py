"""Starts a backend and waits until it answers, for the docker and the command line.  Blocks."""

import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Optional, TypeVar

from .errors import ErrorCode, LinewashError
from .paths import log_file

START_S = 60.0
"""How long a backend may take until it answers, seconds: the first start on a slow disk is long."""
OTHER_START_S = 2.0
"""How long another backend is waited for once the started one has ended, seconds."""
_POLL_S = 0.05
_TAIL_BYTES = 2000

Connection = TypeVar("Connection")


def start_backend(python: str, project: Path, home: Path, spawn: Callable[..., Any] = subprocess.Popen, **options: Any) -> Any:
    """Start the backend in ``project`` for ``home``; what it prints goes to ``start.log`` beside its log.

    spawn, options: starts a process, as ``subprocess.Popen``, and more arguments for it.  Returns what ``spawn`` returns.
    LinewashError BACKEND_START when the log or the process cannot be made.
    """
    log = _start_log(home)
    try:
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with log.open("wb") as output:
            return spawn(
                [python, "-m", "backend", "serve", "--home", str(home)],
                cwd=str(project),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **options,
            )
    except OSError as error:
        raise LinewashError(ErrorCode.BACKEND_START, repr(error)) from error


def wait_for_backend(
    home: Path, process: Any, find: Callable[[], Optional[Connection]], is_cancelled: Callable[[], bool] = lambda: False
) -> Connection:
    """What ``find`` returns as soon as that is not None.  ``process`` is the one that was started.

    LinewashError BACKEND_START, with the end of ``start.log``, when the process has ended, when it takes longer than
    ``START_S``, or when ``is_cancelled`` says so.
    """
    end, has_ended = time.monotonic() + START_S, False
    while time.monotonic() < end and not is_cancelled():
        connection = find()
        if connection is not None:
            return connection
        if not has_ended and process.poll() is not None:
            # It ends at once when another one, say of a second Krita, is just starting: that one will answer soon.
            end, has_ended = time.monotonic() + OTHER_START_S, True
        time.sleep(_POLL_S)
    raise LinewashError(ErrorCode.BACKEND_START, _log_tail(home))


def _start_log(home: Path) -> Path:
    return log_file(home).with_name("start.log")


def _log_tail(home: Path) -> str:
    try:
        return _start_log(home).read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace").strip()
    except OSError as error:
        return repr(error)
