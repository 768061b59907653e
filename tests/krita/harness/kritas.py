"""Which Krita a test drives: the installed one, or one of the four that Debian's archive holds."""

import os
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.krita.harness import needs
from tests.krita.harness.display import display
from tests.krita.harness.processes import CLEAN_PATH

PROJECT = Path(__file__).resolve().parents[3]
SCRIPT = PROJECT / "scripts" / "krita_rootfs.sh"
VERSIONS = ("5.1", "5.2", "5.3", "6.0")
COMMAND = "LINEWASH_KRITA"
"""Environment variable that names another Krita than the installed one: a command, with its arguments."""
UNPACKING_S = 1500.0


class NotHere(Exception):
    """This machine cannot run that Krita; the text says why."""


@dataclass(frozen=True)
class Krita:
    """One Krita to test."""

    name: str
    """Its version as it was asked for, '' = the installed one, whatever its version."""
    command: tuple[str, ...]
    """What starts it."""
    root: Path | None = None
    """The folder that is / for it, None for one that is installed."""

    @property
    def folder(self) -> str:
        """The name of the folder for what its scenarios leave."""
        return f"krita-{self.name}" if self.name else "krita"

    def backend_python(self, folder: Path) -> Path:
        """The Python that has the backend, as this Krita can start it; ``folder`` is there for a file of one's own.

        A Krita with a root of its own has other system libraries, so the backend runs outside it, as a painter's does.
        """
        if self.root is None:
            return Path(sys.executable)
        python = folder / "python"
        python.write_text(f'#!/bin/sh\nexec on-host {shlex.quote(sys.executable)} "$@"\n')
        python.chmod(0o755)
        return python


def chosen(option: str) -> list[str]:
    """The versions that ``--krita`` names, oldest first.  ValueError when it names another."""
    if option == "all":
        return list(VERSIONS)
    names = [name.strip() for name in option.split(",") if name.strip()]
    unknown = [name for name in names if name not in VERSIONS]
    if unknown:
        raise ValueError(f"--krita takes {', '.join(VERSIONS)} or all, not {', '.join(unknown)}")
    return [name for name in VERSIONS if name in names]


def find(name: str) -> Krita:
    """The Krita of version ``name``, unpacked when it is not here yet; '' is the installed one.

    Raises NotHere.
    """
    command = shlex.split(os.environ.get(COMMAND, "krita"))
    own_root = bool(name) and not installed_version().startswith(f"{name}.")
    sentence = needs.missing(needs.UNPACKING if own_root else needs.INSTALLED)
    if sentence:
        raise NotHere(sentence)
    if not own_root:
        return Krita(name, tuple(command))
    root = unpacked(name)
    return Krita(name, start_in(root, name), root)


def start_in(root: Path, name: str) -> tuple[str, ...]:
    """What starts Krita ``name`` in its own root, where it sees the checkout too, whatever home it is given."""
    cache = root.parent.parent
    return ("env", f"KEEP={PROJECT}", f"LINEWASH_KRITA_CACHE={cache}", "bash", str(SCRIPT), "run", name, "krita")


def unpacked(name: str) -> Path:
    """The folder of Krita ``name``; raises NotHere when it cannot be had.  One that is there is taken as it is."""
    root = Path(subprocess.run(["bash", SCRIPT, "path", name], capture_output=True, text=True, check=True).stdout.strip())
    if not root.is_dir():
        command = ["bash", SCRIPT, "make", name]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=UNPACKING_S)
        if done.returncode:
            raise NotHere(f"Krita {name} could not be unpacked:\n{done.stdout[-2000:]}")
    return root


@cache
def installed_version() -> str:
    """What the installed Krita (or the one that ``LINEWASH_KRITA`` names) says it is; '' when there is none."""
    command = [*shlex.split(os.environ.get(COMMAND, "krita")), "--version"]
    try:
        with display() as screen, tempfile.TemporaryDirectory() as home:
            environment = {"PATH": CLEAN_PATH, "LANG": "C.UTF-8", "DISPLAY": screen.name, "HOME": home}
            done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=home, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().rpartition(" ")[2]
