"""Finds a running backend, or starts the installed one.  Blocks, so it is called in threads only."""

import json
import os
import subprocess
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Optional

from ..shared.backend_start import start_backend, wait_for_backend
from ..shared.client import Client
from ..shared.errors import ErrorCode, LinewashError
from ..shared.paths import HOME_VARIABLE, ServerInfo, default_home, models_dir, program_file, read_server_info, recorded_path
from ..shared.sandbox import NO_SANDBOX
from .child_process import Surroundings, is_within_reach, start_program

HELLO_S = 5.0
"""How long a running backend may take to say hello, seconds."""


@dataclass(frozen=True)
class Installation:
    """Where the backend is installed, as the installer wrote it down beside the plugin."""

    python: Path
    """The backend's Python."""
    project: Path
    """The folder with the backend."""
    home: Path
    """The folder of the painter's data."""
    sandbox: str
    """Where it was set up, as ``sandbox.current_sandbox``."""

    @staticmethod
    def read(file: Path, surroundings: Surroundings) -> "Optional[Installation]":
        """The installation that ``file`` describes; None when it is missing, garbled, or its Python is gone."""
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
            python, project, home = recorded_path(record["python"]), recorded_path(record["project"]), record.get("home")
            sandbox = str(record.get("sandbox") or NO_SANDBOX)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        home = default_home() if os.environ.get(HOME_VARIABLE) or not home else recorded_path(home)
        if is_within_reach(surroundings, sandbox) and not (python.is_file() and project.is_dir()):
            return None
        return Installation(python, project, home, sandbox)


def own_installation_file() -> Path:
    """What install.py wrote down beside the plugin; a plugin that Krita imported from a release has no such file."""
    return Path(__file__).resolve().parent.parent / "installation.json"


class Launcher:
    """Finds or starts the backend.

    file: what the installer wrote down; it is read anew at each start of the backend, so that installing needs no restart of
    Krita.  spawn: starts a process, as ``subprocess.Popen``.  surroundings: finds out what Krita runs in.  release_file: the
    record of a release that the docker set up, for where there is no ``file``.
    """

    def __init__(
        self,
        file: Path,
        spawn: Callable[..., Any] = subprocess.Popen,
        surroundings: Callable[[], Surroundings] = Surroundings.now,
        release_file: Optional[Path] = None,
    ) -> None:
        self._file, self._spawn, self._surroundings, self._release_file = file, spawn, surroundings, release_file
        self._lock = threading.Lock()
        self._started: Optional[Any] = None

    @staticmethod
    def installed() -> "Launcher":
        """The launcher of this plugin's own installation: install.py's, else the one that the docker set up."""
        return Launcher(own_installation_file(), release_file=program_file(default_home()))

    def find_or_start(self, report: Callable[[str], None], is_cancelled: Callable[[], bool]) -> ServerInfo:
        """How to reach the backend, which answers; it is started when none runs.

        report: called, with words for the painter, when something takes time.  is_cancelled: whether to give up waiting.
        LinewashError: NOT_INSTALLED, BACKEND_START, FLATPAK_CLOSED, SNAP_CLOSED, VERSION_MISMATCH, BAD_TOKEN.
        """
        # Two threads must not start two backends.
        with self._lock:
            surroundings = self._surroundings()
            installation = self._installation(surroundings)
            # A backend that runs is used even when the installer's record is gone.
            home = installation.home if installation else default_home()
            info = self._find(home)
            if info is not None:
                return info
            if installation is None:
                raise LinewashError(ErrorCode.NOT_INSTALLED, str(self._file))
            report("Starting Linewash…")
            spawn = partial(start_program, surroundings=surroundings, sandbox=installation.sandbox, spawn=self._spawn)
            process = start_backend(str(installation.python), installation.project, home, spawn)
            # Kept, as Python warns of a process object that is collected while the process runs.
            self._started = process
            return wait_for_backend(home, process, lambda: self._find(home), is_cancelled)

    def find(self) -> Optional[ServerInfo]:
        """How to reach the backend when one runs already, None otherwise.  LinewashError VERSION_MISMATCH, BAD_TOKEN."""
        return self._find(self._home())

    def models_folder(self) -> Path:
        """Folder of the models that the painter added, for the backend that ``find`` finds."""
        return models_dir(self._home())

    def _home(self) -> Path:
        installation = self._installation(self._surroundings())
        return installation.home if installation else default_home()

    def _installation(self, surroundings: Surroundings) -> Optional[Installation]:
        is_release = self._release_file is not None and not self._file.exists()
        return Installation.read(self._release_file if is_release and self._release_file else self._file, surroundings)

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
