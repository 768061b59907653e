"""Finds a Python on this computer that can run the installer, by running what is there.  Blocks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from ..jobs.child_process import Surroundings, clean_environment

OLDEST, NEWEST = (3, 10), (3, 13)
"""The Pythons that the backend's packages are pinned for."""
PREFERENCE = ((3, 12), (3, 13), (3, 11), (3, 10))
ANSWER_S = 15.0
"""How long a Python may take to say what it is, seconds."""

_PROBE = """
import struct, sys
import ensurepip, ssl, venv
print(sys.version_info[0], sys.version_info[1], struct.calcsize("P") * 8)
print(getattr(sys, "_base_executable", None) or sys.executable)
"""
"""Debian's Python lacks ensurepip until python3-venv is installed; the second line leads out of a virtual environment."""


def find_system_python(surroundings: Surroundings) -> Optional[Path]:
    """The first Python that fits; None when there is none."""
    environment = clean_environment(surroundings)
    for candidate in candidates(sys.platform, environment):
        if not is_foreign(candidate, sys.platform, surroundings.bundles):
            python = probe_python(candidate, environment)
            if python is not None:
                return python
    return None


def candidates(platform: str, environment: Mapping[str, str]) -> Iterator[Path]:
    """Where a Python may be: in PATH, then where installers put it."""
    suffix = ".exe" if platform == "win32" else ""
    names = ["python%d.%d%s" % (*version, suffix) for version in PREFERENCE] + ["python3" + suffix, "python" + suffix]
    for name in names:
        for folder in filter(None, environment.get("PATH", os.defpath).split(os.pathsep)):
            found = shutil.which(name, path=folder)
            if found:
                yield Path(found)
    for folder in _known_folders(platform, environment):
        for name in names:
            if (folder / name).is_file():
                yield folder / name


def is_foreign(candidate: Path, platform: str, bundles: Tuple[str, ...]) -> bool:
    """Whether a Python must be left alone: Krita's own, one of the Microsoft Store, or what stands for one.

    On macOS /usr/bin/python3 asks to install a compiler when it is run.  In Linux's packages Krita and all others share one.
    """
    path = candidate.as_posix()
    if platform == "darwin" and path.startswith("/usr/bin/"):
        return True
    if platform == "win32" and "WindowsApps" in candidate.parts:
        return True
    own = (*bundles, Path(sys.prefix).as_posix()) if platform == "win32" else bundles
    return any(path.startswith(folder.rstrip("/") + "/") for folder in own)


def probe_python(candidate: Path, environment: Mapping[str, str]) -> Optional[Path]:
    """The Python that ``candidate`` leads to, when that fits; None else: too old or new, 32 bits, without venv, broken."""
    try:
        answer = subprocess.run(
            [str(candidate), "-I", "-c", _PROBE],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=ANSWER_S,
            **no_window(),
        )
        numbers, executable = answer.stdout.decode("utf-8").splitlines()
        major, minor, bits = (int(number) for number in numbers.split())
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    fits = answer.returncode == 0 and OLDEST <= (major, minor) <= NEWEST and bits == 64
    return Path(executable) if fits and Path(executable).is_file() else None


def no_window() -> Dict[str, Any]:
    """Options of a subprocess with which no console window opens on Windows."""
    return {"creationflags": subprocess.CREATE_NO_WINDOW} if sys.platform == "win32" else {}


def _known_folders(platform: str, environment: Mapping[str, str]) -> List[Path]:
    if platform == "win32":
        local, programs = environment.get("LOCALAPPDATA"), environment.get("PROGRAMFILES")
        roots = ([Path(local) / "Programs" / "Python"] if local else []) + ([Path(programs)] if programs else [])
        return [root / ("Python%d%d" % version) for root in roots for version in PREFERENCE]
    if platform == "darwin":
        frameworks = Path("/Library/Frameworks/Python.framework/Versions")
        return [frameworks / ("%d.%d" % version) / "bin" for version in PREFERENCE] + [
            Path("/opt", "homebrew", "bin"),
            Path("/usr/local/bin"),
        ]
    return [Path("/usr/local/bin"), Path("/usr/bin")]
