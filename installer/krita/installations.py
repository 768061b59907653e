"""Krita's folders for plugins and settings on each system, computed from an explicit ``Machine``."""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from shared.sandbox import KRITA_FLATPAK, KRITA_SNAP

from . import kritarc
from .resource_folder import moved_folder


@dataclass(frozen=True)
class Machine:
    """The system the installer works on."""

    platform: str
    """As ``sys.platform``."""
    environ: Mapping[str, str]
    """Environment variables."""
    home: Path
    """The user's home folder."""

    def folder(self, variable: str, default: str) -> Path:
        """The folder an environment variable names, or ``default`` under the home folder when it is unset or empty."""
        return Path(self.environ[variable]) if self.environ.get(variable) else self.home / default


class Kind(Enum):
    """How a Krita came onto the machine, where that makes a difference."""

    ORDINARY = "Krita"
    FLATPAK = "Krita from Flatpak"
    SNAP = "Krita from Snap"
    STORE = "Krita from the Microsoft Store"


@dataclass(frozen=True)
class KritaInstallation:
    """The folders of one Krita."""

    name: str
    """The name that messages use."""
    resources: Path
    """The folder that holds ``pykrita/``."""
    settings: Path
    """The file ``kritarc``."""
    kind: Kind = Kind.ORDINARY
    unused: Path | None = None
    """The resource folder that Krita had before the painter moved it; Krita looks there no more."""

    @property
    def pykrita(self) -> Path:
        """The folder of Python plugins."""
        return self.resources / "pykrita"


def this_machine() -> Machine:
    """The machine that the installer runs on."""
    return Machine(sys.platform, os.environ, Path.home())


def known_kritas(machine: Machine) -> tuple[KritaInstallation, ...]:
    """All Kritas that this system may have, the ordinary one first; their folders need not exist."""
    return tuple(_follow_move(machine, kind, resources, settings) for kind, resources, settings in _places(machine))


def _follow_move(machine: Machine, kind: Kind, resources: Path, settings: Path) -> KritaInstallation:
    moved = moved_folder(kritarc.read(settings), machine.environ)
    if moved is None or moved == resources:
        return KritaInstallation(kind.value, resources, settings, kind)
    return KritaInstallation(kind.value, moved, settings, kind, unused=resources)


def _places(machine: Machine) -> Iterator[tuple[Kind, Path, Path]]:
    """(kind, resource folder, settings) of each Krita that this system may have."""
    if machine.platform == "win32":
        roaming, local = machine.folder("APPDATA", "AppData/Roaming"), machine.folder("LOCALAPPDATA", "AppData/Local")
        yield Kind.ORDINARY, roaming / "krita", local / "kritarc"
        # What a program from the store writes into these two folders lands in a folder of its own.
        for package in sorted(local.glob("Packages/49800Krita*")):
            yield Kind.STORE, package / "LocalCache/Roaming/krita", package / "LocalCache/Local/kritarc"
    elif machine.platform == "darwin":
        library = machine.home / "Library"
        yield Kind.ORDINARY, library / "Application Support/krita", library / "Preferences/kritarc"
    else:
        data, config = machine.folder("XDG_DATA_HOME", ".local/share"), machine.folder("XDG_CONFIG_HOME", ".config")
        yield Kind.ORDINARY, data / "krita", config / "kritarc"
        flatpak = machine.home / ".var/app" / KRITA_FLATPAK
        yield Kind.FLATPAK, flatpak / "data/krita", flatpak / "config/kritarc"
        snap = machine.home / "snap" / KRITA_SNAP / "current"
        yield Kind.SNAP, snap / ".local/share/krita", snap / ".config/kritarc"


def find_kritas(machine: Machine, krita_dir: Path | None = None) -> tuple[KritaInstallation, ...]:
    """The Kritas to install into: all that have been started on this machine, or the ordinary one when none has.

    krita_dir: a resource folder that the painter names, used instead.  Its settings are those of the known Krita with that
    folder, else those of the ordinary Krita.
    """
    known = known_kritas(machine)
    if krita_dir is not None:
        resources = krita_dir.expanduser().absolute()
        same = next((krita for krita in known if krita.resources == resources), None)
        return (same or KritaInstallation("Krita", resources, known[0].settings),)
    present = tuple(krita for krita in known if _is_present(krita))
    return present or known[:1]


def _is_present(krita: KritaInstallation) -> bool:
    # Krita's folders in the store's package are made at its first start; the package was there to be found.
    return krita.kind is Kind.STORE or krita.resources.is_dir() or krita.settings.is_file()
