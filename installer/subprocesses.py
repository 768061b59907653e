"""Starting other programs with an environment that does not lead a Python astray."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_MISLEADING = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV")


def clean_environment(base: Mapping[str, str], extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """``base`` without the variables that would point a virtual environment's Python elsewhere, plus ``extra``."""
    kept = {name: value for name, value in base.items() if name not in _MISLEADING}
    return {**kept, "PYTHONNOUSERSITE": "1", **(extra or {})}


def run(command: Sequence[str | Path], cwd: Path | None = None, extra: Mapping[str, str] | None = None) -> int:
    """Run ``command`` to its end, its output passed on; the exit status, 127 when there is no such program."""
    try:
        words = [str(word) for word in command]
        return subprocess.run(words, cwd=cwd, env=clean_environment(os.environ, extra), stdin=subprocess.DEVNULL).returncode
    except OSError:
        return 127


def capture_output(
    command: Sequence[str | Path], cwd: Path | None = None, extra: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run ``command`` to its end; its exit status (127: no such program) and what it wrote, both streams together."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env=clean_environment(os.environ, extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        return 127, str(error)
    return done.returncode, done.stdout
