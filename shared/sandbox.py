"""Which sandbox a program runs in: Flatpak, Snap, or none."""

from pathlib import Path
from typing import Mapping

NO_SANDBOX = ""
"""What ``current_sandbox`` returns outside of every sandbox."""

_FLATPAK, _SNAP = "flatpak:", "snap:"
_FLATPAK_FILE = ".flatpak-info"
KRITA_FLATPAK, KRITA_SNAP = "org.kde.krita", "krita"
"""Krita's names there."""


def current_sandbox(environment: Mapping[str, str], root: Path = Path("/")) -> str:
    """The sandbox this program runs in, as one word: ``flatpak:org.kde.krita``, ``snap:krita`` or ``NO_SANDBOX``.

    environment: the environment variables.  root: the root of the file system; Flatpak puts a file there.  Only Krita's own
    Snap counts: a terminal that another Snap opened inherits its variables, though nothing confines it.
    """
    if (root / _FLATPAK_FILE).is_file():
        return _FLATPAK + (environment.get("FLATPAK_ID") or KRITA_FLATPAK)
    if environment.get("SNAP") and environment.get("SNAP_NAME") == KRITA_SNAP:
        return _SNAP + KRITA_SNAP
    return NO_SANDBOX


def is_flatpak(sandbox: str) -> bool:
    """Whether a word of ``current_sandbox`` names a Flatpak."""
    return sandbox.startswith(_FLATPAK)


def is_snap(sandbox: str) -> bool:
    """Whether a word of ``current_sandbox`` names a Snap."""
    return sandbox.startswith(_SNAP)


def sees_all_processes(root: Path = Path("/")) -> bool:
    """Whether process numbers mean the same here as outside: in a Flatpak they do not."""
    return not (root / _FLATPAK_FILE).is_file()


def program_name(sandbox: str) -> str:
    """The name of the program in a sandbox, as its commands take it: ``flatpak:org.kde.krita`` -> ``org.kde.krita``."""
    return sandbox.partition(":")[2]
