"""The Kritas that CI tests beside the installed one, unpacked from Debian's archive by ``scripts/krita_rootfs.sh``."""

from collections.abc import Callable
from dataclasses import dataclass

from ..checkout import PROJECT
from ..subprocesses import capture_output

INSTALLED = "5.1"
"""The version that is tested whole: that of Debian's bookworm."""
OTHERS = ("5.2", "5.3", "6.0")
MOVING = ("5.3", "6.0")
"""Those of archives that change from day to day.  Where one cannot be fetched that is no failure; it is said."""
TRY_LATER = 75
"""The script's exit status for an archive that cannot be fetched."""


@dataclass(frozen=True)
class Unpacking:
    """What became of one Krita."""

    version: str
    there: bool
    failed: bool
    """Whether it is a failure that it is not there."""
    sentence: str
    """What the script said."""


def run_script(version: str) -> tuple[int, str]:
    """Unpack one Krita or bring it up to date; the script's exit status and output."""
    return capture_output(["bash", PROJECT / "scripts" / "krita_rootfs.sh", "make", version], cwd=PROJECT)


def unpack(version: str, make: Callable[[str], tuple[int, str]] = run_script) -> Unpacking:
    """Unpack one Krita.  Only an archive that moves may be out of reach; every other trouble of the script is a failure."""
    status, output = make(version)
    lines = [line for line in output.splitlines() if line.strip()]
    there, excused = status == 0, status == TRY_LATER and version in MOVING
    if there or excused:
        return Unpacking(version, there, False, lines[-1] if lines else f"Krita {version}")
    return Unpacking(version, False, True, "\n".join([f"Krita {version} could not be unpacked ({status}):", *lines[-20:]]))
