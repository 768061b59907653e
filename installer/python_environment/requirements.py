"""Checks what the computer needs before anything is installed; each message says what is missing and what to do."""

import importlib.util
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from ..messages import InstallError, format_gigabytes

NEEDED_BYTES = 3_000_000_000
"""Bytes that must be free: for the backend with PyTorch for CPUs (measured: 1.7 GB) and for unpacking it."""

NEEDED_BYTES_CUDA = 9_000_000_000
"""Bytes that should be free on Linux, where PyTorch's ordinary package includes NVIDIA's libraries."""

TESTED_PYTHONS = ((3, 10), (3, 13))
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


def check_space(folder: Path, free: int | None = None, needed: int = NEEDED_BYTES) -> None:
    """Raise InstallError when fewer than ``needed`` bytes are free on the disk of ``folder``.

    free: the free bytes; None = ask the disk.
    """
    available = shutil.disk_usage(folder).free if free is None else free
    if available < needed:
        raise InstallError(
            f"Linewash needs {format_gigabytes(needed)} of free disk space, and only {format_gigabytes(available)} are free "
            f"at {folder}. Free some space and start the installer again."
        )


def space_notice(system: str) -> str:
    """The message about download size and disk space, shown before the download starts."""
    if system == "linux":
        return (
            f"About 0.4 GB is downloaded ({format_gigabytes(NEEDED_BYTES)} of disk space are needed); "
            f"where PyTorch comes with NVIDIA's libraries, 3 GB ({format_gigabytes(NEEDED_BYTES_CUDA)})."
        )
    return f"About 0.4 GB is downloaded; {format_gigabytes(NEEDED_BYTES)} of disk space are needed."
