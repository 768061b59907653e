"""Whether a Krita in a sandbox may start the coloring program outside of it."""

import configparser
from pathlib import Path

from shared.errors import ErrorCode, LinewashError
from shared.sandbox import KRITA_FLATPAK, KRITA_SNAP

from .installations import Kind, KritaInstallation, Machine

_OVERRIDES_FOR_ALL = Path("/var/lib/flatpak/overrides")


def sandbox_obstacle(krita: KritaInstallation, machine: Machine) -> LinewashError | None:
    """The error a painter would meet in ``krita``, with what to do about it; None when nothing is in the way."""
    if krita.kind is Kind.SNAP:
        return LinewashError(ErrorCode.SNAP_CLOSED, KRITA_SNAP)
    if krita.kind is Kind.FLATPAK and not flatpak_may_start_programs(machine):
        return LinewashError(ErrorCode.FLATPAK_CLOSED, KRITA_FLATPAK)
    return None


def flatpak_may_start_programs(machine: Machine, for_all: Path = _OVERRIDES_FOR_ALL) -> bool:
    """Whether ``flatpak override`` allowed it; Krita's Flatpak does not ask for it by itself.

    for_all: the folder of what holds for all users of the machine.
    """
    user = machine.folder("XDG_DATA_HOME", ".local/share") / "flatpak" / "overrides"
    files = [folder / name for folder in (for_all, user) for name in ("global", KRITA_FLATPAK)]
    # The later file has the last word.
    policies = [policy for policy in map(_policy, files) if policy]
    return bool(policies) and policies[-1] in ("talk", "own")


def _policy(file: Path) -> str:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), interpolation=None)
    try:
        parser.read_string(file.read_text(encoding="utf-8", errors="replace"))
    except (OSError, configparser.Error):
        return ""
    return parser.get("Session Bus Policy", "org.freedesktop.Flatpak", fallback="").strip()
