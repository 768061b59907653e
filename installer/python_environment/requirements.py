"""Checks what the computer needs before anything is installed; each message says what is missing and what to do."""

import importlib.util
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from ..messages import InstallError, format_gigabytes

TESTED_PYTHONS = ((3, 10), (3, 14))
"""Oldest and newest Python that ``constraints.txt`` was resolved for."""


def check_python(find: Callable[[str], object] = importlib.util.find_spec) -> None:
    """Raise InstallError when this Python cannot create a virtual environment or PyTorch does not support it.

    find: returns None when there is no module of that name.
    """
    if any(find(name) is None for name in ("venv", "ensurepip")):
        raise InstallError(missing_venv_sentence(sys.platform))
    sentence = unsupported_sentence(sys.platform, platform.machine(), sys.maxsize > 2**32)
    if sentence:
        raise InstallError(sentence)


def missing_venv_sentence(system: str) -> str:
    """The sentence for a Python without venv or ensurepip on ``system`` (as ``sys.platform``)."""
    if system == "linux":
        return (
            "This Python cannot make virtual environments. On Debian or Ubuntu run: sudo apt install python3-venv "
            "(and then install.py again)."
        )
    return "This Python cannot make virtual environments. Install the full Python from python.org and use that."


def unsupported_sentence(system: str, machine: str, bits_64: bool) -> str | None:
    """The sentence for a computer that PyTorch does not support; None when it does.  machine: as ``platform.machine()``."""
    if not bits_64:
        return "This is a 32-bit Python, and PyTorch is made for 64 bits only. Install a 64-bit Python."
    if system == "darwin" and machine == "x86_64":
        return "PyTorch is no longer made for Macs with Intel processors, so Linewash cannot run here."
    return None


def free_bytes(folder: Path) -> int:
    """Free bytes on the disk of ``folder``, which need not exist yet."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def check_space(folder: Path, free: int, needed: int) -> None:
    """Raise InstallError when the ``free`` bytes on the disk of ``folder`` are fewer than the ``needed`` ones."""
    if free < needed:
        raise InstallError(
            f"Linewash needs {format_gigabytes(needed)} of free disk space, and only {format_gigabytes(free)} are free "
            f"at {folder}.",
            "Free some space and start the installer again; it goes on where it stopped.",
        )
