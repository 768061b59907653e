"""Connects a command to a backend, and reports errors in the painter's words."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import typer

from shared.backend_start import start_backend, wait_for_backend
from shared.client import Client, find_server
from shared.errors import LinewashError

_PROJECT = Path(__file__).resolve().parents[2]


@contextmanager
def connect_backend(home: Path) -> Generator[Client]:
    """A client of the backend that serves ``home``.  When none runs, one is started and ended with the block.

    Raises LinewashError BACKEND_START or VERSION_MISMATCH.
    """
    running = find_server(home)
    if running is not None:
        with running:
            yield running
        return
    # A session of its own: Ctrl-C is for the command, which then cancels its job and ends the backend.
    process = start_backend(sys.executable, _PROJECT, home, start_new_session=True)
    try:
        with wait_for_backend(home, process, lambda: find_server(home)) as client:
            yield client
    finally:
        process.terminate()
        process.wait()


@contextmanager
def report_errors() -> Generator[None]:
    """Print the message and hint of a LinewashError to stderr and exit with status 1."""
    try:
        yield
    except LinewashError as error:
        typer.echo("%s %s" % (error.message, error.hint), err=True)
        if error.detail:
            typer.echo("(%s)" % error.detail, err=True)
        raise typer.Exit(1) from error
