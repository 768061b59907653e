"""Ending what was started: our own process groups, and by their marker whatever those left behind."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

CLEAN_PATH = "/usr/local/bin:/usr/bin:/bin"
"""PATH for Krita: its embedded Python takes its prefix from the first python3 on PATH, so a virtual environment there would
lose it PyQt5 and with it every plugin."""

MARKER = "LINEWASH_TEST_RUN"
"""Environment variable that everything started by one test run inherits, the backend too."""


def stop(process: "subprocess.Popen[bytes]", patience_s: float = 5.0) -> None:
    """End one process that leads its own group, and the group with it."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        try:
            os.killpg(process.pid, sign)
            process.wait(patience_s)
        except (subprocess.TimeoutExpired, ProcessLookupError):
            continue


def marked(run: str, containing: str = "") -> dict[int, str]:
    """pid -> command line of every living process of this test run; ``containing`` narrows it to some command lines."""
    found: dict[int, str] = {}
    wanted = f"{MARKER}={run}".encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            if wanted not in (folder / "environ").read_bytes().split(b"\0"):
                continue
            if (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                continue
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:  # it ended while we looked
            continue
        if containing in command:
            found[int(folder.name)] = command
    return found


def end_marked(run: str, containing: str = "", patience_s: float = 5.0) -> dict[int, str]:
    """End every living process of this test run and tell which ones there were."""
    left = marked(run, containing)
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for pid in marked(run, containing):
            try:
                os.kill(pid, sign)
            except ProcessLookupError:
                continue
        wait_until(lambda: not marked(run, containing), patience_s)
    return left


def wait_until(condition: Callable[[], bool], patience_s: float) -> bool:
    """Whether ``condition()`` became true within ``patience_s`` seconds."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())
