"""One virtual screen for one Krita."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.krita.harness.processes import CLEAN_PATH, stop

SCREEN = (1600, 1000)
"""Width and height of the screen, pixels."""


@dataclass(frozen=True)
class Display:
    """A running X server."""

    name: str
    """``:N``"""
    pid: int


@contextmanager
def display(size: tuple[int, int] = SCREEN) -> Iterator[Display]:
    """A fresh X display that lives as long as the block."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        # -displayfd: the server picks a free number itself.  -noreset: Krita connects, leaves and connects again at its
        # start, and a server that resets in between refuses it.
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "%dx%dx24" % size, "-nolisten", "tcp", "-noreset"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={"PATH": CLEAN_PATH},
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as pipe:
            number = pipe.readline().strip()  # to the newline: an earlier close makes the server quit
        if not number:
            raise RuntimeError("Xvfb did not start")
        yield Display(":" + number, server.pid)
    finally:
        stop(server)
