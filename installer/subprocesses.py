"""Runs other programs without the environment variables that redirect Python."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_PYTHON_VARIABLES = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV")


def clean_environment(base: Mapping[str, str], extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """``base`` without the variables that redirect a virtual environment's Python, plus ``extra``."""
    environment = {name: value for name, value in base.items() if name not in _PYTHON_VARIABLES}
    return {**environment, "PYTHONNOUSERSITE": "1", **(extra or {})}


def run(command: Sequence[str | Path], cwd: Path | None = None, extra: Mapping[str, str] | None = None) -> int:
    """Run ``command`` and pass its output on; the exit status, 127 when there is no such program."""
    try:
        words = [str(word) for word in command]
        return subprocess.run(words, cwd=cwd, env=clean_environment(os.environ, extra), stdin=subprocess.DEVNULL).returncode
    except OSError:
        return 127


def capture_output(
    command: Sequence[str | Path], cwd: Path | None = None, extra: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run ``command``; its exit status (127: no such program) and its output, stdout and stderr together."""
    try:
        process = subprocess.run(
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
    return process.returncode, process.stdout
