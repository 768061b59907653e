"""Krita's folders for plugins and settings on each system, computed from an explicit ``Machine``."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


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


@dataclass(frozen=True)
class KritaInstallation:
    """The folders of one Krita."""

    name: str
    """The name that messages use."""
    resources: Path
    """The folder that holds ``pykrita/``."""
    settings: Path
    """The file ``kritarc``."""

    @property
    def pykrita(self) -> Path:
        """The folder of Python plugins."""
        return self.resources / "pykrita"


def this_machine() -> Machine:
    """The machine that the installer runs on."""
    return Machine(sys.platform, os.environ, Path.home())


def known_kritas(machine: Machine) -> tuple[KritaInstallation, ...]:
    """All Kritas that this system may have, the ordinary one first; their folders need not exist."""
    if machine.platform == "win32":
        roaming, local = machine.folder("APPDATA", "AppData/Roaming"), machine.folder("LOCALAPPDATA", "AppData/Local")
        return (KritaInstallation("Krita", roaming / "krita", local / "kritarc"),)
    if machine.platform == "darwin":
        library = machine.home / "Library"
        return (KritaInstallation("Krita", library / "Application Support" / "krita", library / "Preferences" / "kritarc"),)
    data, config = machine.folder("XDG_DATA_HOME", ".local/share"), machine.folder("XDG_CONFIG_HOME", ".config")
    flatpak = machine.home / ".var" / "app" / "org.kde.krita"
    return (
        KritaInstallation("Krita", data / "krita", config / "kritarc"),
        KritaInstallation("Krita from Flatpak", flatpak / "data" / "krita", flatpak / "config" / "kritarc"),
    )


def find_kritas(machine: Machine, krita_dir: Path | None = None) -> tuple[KritaInstallation, ...]:
    """The Kritas to install into: all that have been started on this machine, or the ordinary one when none has.

    krita_dir: a resource folder resources by the painter, used instead.  Its settings are those of the known Krita with that
    folder, else those of the ordinary Krita.
    """
    known = known_kritas(machine)
    if krita_dir is not None:
        resources = krita_dir.expanduser().absolute()
        settings = next((krita.settings for krita in known if krita.resources == resources), known[0].settings)
        return (KritaInstallation("Krita", resources, settings),)
    present = tuple(krita for krita in known if krita.resources.is_dir() or krita.settings.is_file())
    return present or known[:1]
