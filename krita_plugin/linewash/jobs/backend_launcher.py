"""Finds a running backend, or starts the installed one.  Blocks, so it is called in threads only."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

from ..shared.backend_start import start_backend, wait_for_backend
from ..shared.client import Client
from ..shared.errors import ErrorCode, LinewashError
from ..shared.paths import HOME_VARIABLE, ServerInfo, default_home, read_server_info

HELLO_S = 5.0
"""How long a running backend may take to say hello, seconds."""

_KRITA_VARIABLES = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "QT_PLUGIN_PATH", "QML2_IMPORT_PATH")
_APPIMAGE_VARIABLES = ("LD_LIBRARY_PATH", "LD_PRELOAD")


@dataclass(frozen=True)
class Installation:
    """Where the backend is installed, as the installer wrote it down beside the plugin."""

    python: Path
    """The backend's Python."""
    project: Path
    """The folder with the backend."""
    home: Path
    """The folder of the painter's data."""

    @staticmethod
    def read(file: Path) -> "Optional[Installation]":
        """The installation that ``file`` describes; None when it is missing, garbled, or its Python is gone."""
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
            python, project, home = Path(record["python"]), Path(record["project"]), record.get("home")
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        home = default_home() if os.environ.get(HOME_VARIABLE) or not home else Path(home)
        return Installation(python, project, home) if python.is_file() and project.is_dir() else None


class Launcher:
    """Finds or starts the backend.

    file: what the installer wrote down; it is read anew at each start of the backend, so that installing needs no restart of
    Krita.  spawn: starts a process, as ``subprocess.Popen``.
    """

    def __init__(self, file: Path, spawn: Callable[..., Any] = subprocess.Popen) -> None:
        self._file, self._spawn = file, spawn
        self._lock = threading.Lock()
        self._started: Optional[Any] = None

    @staticmethod
    def installed() -> "Launcher":
        """The launcher of this plugin's own installation."""
        return Launcher(Path(__file__).resolve().parent.parent / "installation.json")

    def find_or_start(self, report: Callable[[str], None], is_cancelled: Callable[[], bool]) -> ServerInfo:
        """How to reach the backend, which answers; it is started when none runs.

        report: called, with words for the painter, when something takes time.  is_cancelled: whether to give up waiting.
        LinewashError: NOT_INSTALLED, BACKEND_START, VERSION_MISMATCH, BAD_TOKEN.
        """
        # Two threads must not start two backends.
        with self._lock:
            installation = Installation.read(self._file)
            # A backend that runs is used even when the installer's record is gone.
            home = installation.home if installation else default_home()
            info = self._find(home)
            if info is not None:
                return info
            if installation is None:
                raise LinewashError(ErrorCode.NOT_INSTALLED, str(self._file))
            report("Starting Linewash…")
            environment = clean_environment(dict(os.environ))
            process = start_backend(
                str(installation.python),
                installation.project,
                home,
                self._spawn,
                env=environment,
                **detached_options(),
            )
            # Kept, as Python warns of a process object that is collected while the process runs.
            self._started = process
            return wait_for_backend(home, process, lambda: self._find(home), is_cancelled)

    def find(self) -> Optional[ServerInfo]:
        """How to reach the backend when one runs already, None otherwise.  LinewashError VERSION_MISMATCH, BAD_TOKEN."""
        installation = Installation.read(self._file)
        return self._find(installation.home if installation else default_home())

    def _find(self, home: Path) -> Optional[ServerInfo]:
        """A backend that answers, or None.  Raises VERSION_MISMATCH and BAD_TOKEN: starting another would not help."""
        info = read_server_info(home)
        if info is None:
            return None
        try:
            with Client(info, HELLO_S) as client:
                client.hello()
        except LinewashError as error:
            if error.code in (ErrorCode.BACKEND_GONE, ErrorCode.INTERNAL):  # a stale file; another program has its port now
                return None
            raise
        return info


def clean_environment(environment: Dict[str, str]) -> Dict[str, str]:
    """``environment`` without what Krita set for its own Python and Qt, which would mislead the backend's."""
    left_out: List[str] = list(_KRITA_VARIABLES)
    if "APPDIR" in environment:
        left_out += _APPIMAGE_VARIABLES
    return {name: value for name, value in environment.items() if name not in left_out}


def detached_options() -> Dict[str, Any]:
    """Options of Popen with which the backend lives on when Krita ends, and no console window opens on Windows."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return {"creationflags": flags, "close_fds": True}
    return {"start_new_session": True, "close_fds": True}
