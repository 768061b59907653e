"""Where Krita keeps plugins and settings, on each system; everything is computed from an explicit ``Machine``."""

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

    def folder(self, variable: str, otherwise: str) -> Path:
        """The folder an environment variable names, or ``otherwise`` under the home folder when it is unset or empty."""
        return Path(self.environ[variable]) if self.environ.get(variable) else self.home / otherwise


@dataclass(frozen=True)
class KritaInstallation:
    """The folders of one Krita."""

    name: str
    """As the painter knows it."""
    resources: Path
    """The folder that holds ``pykrita/``."""
    settings: Path
    """The file ``kritarc``."""

    @property
    def pykrita(self) -> Path:
        """The folder of Python plugins."""
        return self.resources / "pykrita"


def this_machine() -> Machine:
    """The machine this runs on."""
    return Machine(sys.platform, os.environ, Path.home())


def known_kritas(machine: Machine) -> tuple[KritaInstallation, ...]:
    """Every place a Krita of this system may use, the ordinary one first; none of them need exist."""
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
    """The Kritas to install into: all that were ever started here, or the ordinary one when none was.

    krita_dir: the painter's own resource folder; it replaces the others, with the settings of the ordinary Krita unless it is
    the known folder of another.
    """
    known = known_kritas(machine)
    if krita_dir is not None:
        chosen = krita_dir.expanduser().absolute()
        settings = next((krita.settings for krita in known if krita.resources == chosen), known[0].settings)
        return (KritaInstallation("Krita", chosen, settings),)
    present = tuple(krita for krita in known if krita.resources.is_dir() or krita.settings.is_file())
    return present or known[:1]
