"""A running backend for a command, and failures as the sentence a painter reads."""

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import typer

from shared.client import Client, find_server
from shared.errors import ErrorCode, LinewashError
from shared.paths import log_file

START_S = 60.0
"""How long a backend may take to start listening, seconds; a cold disk is slow."""
_PROJECT = Path(__file__).resolve().parents[2]


@contextmanager
def connected(home: Path) -> Generator[Client]:
    """A client of the backend that serves ``home``; one is started for as long as needed when none runs.

    Raises LinewashError BACKEND_START or VERSION_MISMATCH.
    """
    running = find_server(home)
    if running is not None:
        with running:
            yield running
        return
    process = start(home)
    try:
        with wait_for(home, process) as client:
            yield client
    finally:
        process.terminate()
        process.wait()


def start(home: Path) -> "subprocess.Popen[bytes]":
    """Start a backend for ``home``; what it prints goes to ``start.log`` beside its log.  LinewashError BACKEND_START."""
    log = log_file(home).with_name("start.log")
    try:
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        output = log.open("wb")
    except OSError as error:
        raise LinewashError(ErrorCode.BACKEND_START, str(error)) from error
    with output:
        return subprocess.Popen(
            [sys.executable, "-m", "backend", "serve", "--home", str(home)],
            cwd=_PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the command, which then cancels its job and ends the backend
        )


def wait_for(home: Path, process: "subprocess.Popen[bytes]") -> Client:
    """A client, as soon as the backend listens.  LinewashError BACKEND_START when it ends or takes over ``START_S``."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        ended = process.poll() is not None
        client = find_server(home)
        if client is not None:
            return client
        if ended:
            said = log_file(home).with_name("start.log").read_text(encoding="utf-8", errors="replace").strip()
            raise LinewashError(ErrorCode.BACKEND_START, said[-500:])
        time.sleep(0.05)
    raise LinewashError(ErrorCode.BACKEND_START, "it does not listen after %.0f s" % START_S)


@contextmanager
def sentences() -> Generator[None]:
    """Turn a LinewashError into its message and hint on stderr and exit status 1."""
    try:
        yield
    except LinewashError as error:
        typer.echo("%s %s" % (error.message, error.hint), err=True)
        if error.detail:
            typer.echo("(%s)" % error.detail, err=True)
        raise typer.Exit(1) from error
