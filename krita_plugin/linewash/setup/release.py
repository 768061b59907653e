"""The release that came with the plugin, and what of it is installed."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ..jobs.backend_launcher import Installation
from ..jobs.child_process import Surroundings
from ..shared.paths import program_file


@dataclass(frozen=True)
class Release:
    """The backend's source and its installer, in the plugin's own folder."""

    folder: Path
    version: str
    protocol: int


@dataclass(frozen=True)
class InstalledProgram:
    """A backend that a release set up, whole and ready to start."""

    version: str
    protocol: int


def read_release(folder: Path) -> Optional[Release]:
    """The release in ``folder``; None when there is none, as where install.py put the plugin into Krita."""
    try:
        record = json.loads((folder / "RELEASE").read_text(encoding="utf-8"))
        return Release(folder, str(record["version"]), int(record["protocol"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_program(home: Path, surroundings: Surroundings) -> Optional[InstalledProgram]:
    """The backend in ``home``; None when it is not there or not whole: its record is written last, when all works."""
    file = program_file(home)
    if Installation.read(file, surroundings) is None:
        return None
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        return InstalledProgram(str(record["version"]), int(record["protocol"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
