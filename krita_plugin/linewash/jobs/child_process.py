"""Starts programs from inside Krita, whatever Krita was installed as.

Krita sets variables for its own Python and libraries, which mislead another Python; an AppImage points many more into its own
folder, and a Flatpak shows another file system.  All of this is about the program that is started, never about Krita itself.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

from ..shared.errors import ErrorCode, LinewashError
from ..shared.sandbox import NO_SANDBOX, current_sandbox, is_flatpak, program_name

_KRITA_VARIABLES = (
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "__PYVENV_LAUNCHER__",
    "QT_PLUGIN_PATH",
    "QT_QPA_PLATFORM",
    "QML2_IMPORT_PATH",
)
"""Set by Krita, or by whoever started it, for its own Python and Qt; never meant for another program."""
_APPIMAGE_VARIABLES = ("APPDIR", "APPIMAGE", "ARGV0", "OWD")
_OURS = "LINEWASH_"
_HOST_COMMAND = "flatpak-spawn"
_HOST_ANSWER_S = 10.0


@dataclass(frozen=True)
class Surroundings:
    """What Krita runs in."""

    environment: Mapping[str, str]
    """Environment variables."""
    sandbox: str
    """As ``sandbox.current_sandbox``."""
    bundles: Tuple[str, ...]
    """Folders that belong to this Krita alone, an AppImage's or a macOS bundle: nothing of another program is in there."""

    @staticmethod
    def now() -> "Surroundings":
        """The surroundings of this process."""
        environment = dict(os.environ)
        programs = (Path(sys.executable or "."), Path(sys.prefix))
        bundles = [str(folder) for program in programs for folder in program.parents if folder.suffix == ".app"]
        appdir = environment.get("APPDIR", "").rstrip("/")
        return Surroundings(environment, current_sandbox(environment), tuple(bundles + ([appdir] if appdir else [])))


def clean_environment(surroundings: Surroundings) -> Dict[str, str]:
    """The environment for another program: without what Krita set for itself, and without paths into its bundle.

    Of a list of paths only the entries in the bundle go: what the painter had in PATH or LD_LIBRARY_PATH stays.  A Python is
    told that file names are UTF-8, as Krita leaves a LANG behind that no longer says so.
    """
    cleaned: Dict[str, str] = {"PYTHONUTF8": "1"}
    for name, value in surroundings.environment.items():
        if name in _KRITA_VARIABLES or name in _APPIMAGE_VARIABLES:
            continue
        entries = value.replace(" ", os.pathsep).split(os.pathsep) if name == "LD_PRELOAD" else value.split(os.pathsep)
        outside = [entry for entry in entries if not _is_inside(entry, surroundings.bundles)]
        if len(outside) == len(entries):
            cleaned[name] = value
        elif any(outside):
            # An empty entry would mean the current folder.
            cleaned[name] = os.pathsep.join(filter(None, outside))
    return cleaned


def detached_options() -> Dict[str, Any]:
    """Options of Popen with which a program lives on when Krita ends, and no console window opens on Windows."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return {"creationflags": flags, "close_fds": True}
    return {"start_new_session": True, "close_fds": True}


def is_within_reach(surroundings: Surroundings, sandbox: str) -> bool:
    """Whether files of a program that was set up in ``sandbox`` are the same ones that Krita sees.

    A Flatpak has a ``/usr`` of its own: a virtual environment made outside points to a Python that is not there.
    """
    return surroundings.sandbox in (NO_SANDBOX, sandbox)


def start_program(
    command: Sequence[str],
    cwd: str,
    surroundings: Surroundings,
    sandbox: str,
    spawn: Callable[..., Any] = subprocess.Popen,
    **options: Any,
) -> Any:
    """Start a program, with a clean environment and detached from Krita; what ``spawn`` returns.  Blocks up to 10 s.

    cwd: its folder.  sandbox: where the program was set up; outside of Krita's Flatpak it is started on the host.  spawn,
    options: as ``subprocess.Popen``, and more arguments for it.

    OSError when it cannot be started.  LinewashError FLATPAK_CLOSED or SNAP_CLOSED when Krita's sandbox does not allow it.
    """
    environment = clean_environment(surroundings)
    if is_within_reach(surroundings, sandbox):
        return spawn(list(command), cwd=cwd, env=environment, **detached_options(), **options)
    if not is_flatpak(surroundings.sandbox):
        raise LinewashError(ErrorCode.SNAP_CLOSED, program_name(surroundings.sandbox))
    if not _may_start_on_host(environment):
        raise LinewashError(ErrorCode.FLATPAK_CLOSED, program_name(surroundings.sandbox))
    # The folder of a program on the host need not exist in here.
    return spawn(host_command(command, cwd, environment), cwd="/", env=environment, **detached_options(), **options)


def host_command(command: Sequence[str], cwd: str, environment: Mapping[str, str]) -> List[str]:
    """The command that runs ``command`` outside of a Flatpak, in the folder ``cwd`` there, with Linewash's own variables."""
    ours = ["--env=%s=%s" % (name, value) for name, value in sorted(environment.items()) if name.startswith(_OURS)]
    return [_HOST_COMMAND, "--host", "--directory=" + cwd, *ours, *command]


def _may_start_on_host(environment: Mapping[str, str]) -> bool:
    if shutil.which(_HOST_COMMAND, path=environment.get("PATH")) is None:
        return False
    try:
        answer = subprocess.run(
            host_command(["true"], "/", {}),
            cwd="/",
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_HOST_ANSWER_S,
        )
        return answer.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _is_inside(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)
