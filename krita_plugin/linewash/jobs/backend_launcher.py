"""Finds a running backend, or starts the installed one.  Blocks, so it is called in threads only."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

from ..shared.client import Client
from ..shared.errors import ErrorCode, LinewashError
from ..shared.paths import HOME_VARIABLE, ServerInfo, default_home, log_file, read_server_info, server_file

START_S = 60.0
"""How long a backend may take until it answers, seconds: the first start on a slow disk is long."""
OTHER_S = 2.0
"""How long one more answer is waited for once the started one has ended, seconds."""
HELLO_S = 5.0
_POLL_S = 0.1
_TAIL_BYTES = 2000

_KRITAS_OWN = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "QT_PLUGIN_PATH", "QML2_IMPORT_PATH")
_APPIMAGE_OWN = ("LD_LIBRARY_PATH", "LD_PRELOAD")


@dataclass(frozen=True)
class Installation:
    """What the installer noted beside the plugin: the backend's Python, its folder, and the folder of the user's data."""

    python: Path
    project: Path
    home: Path

    @staticmethod
    def read(file: Path) -> "Optional[Installation]":
        """The installation noted in ``file``; None when it is missing, garbled, or its Python is gone."""
        try:
            noted = json.loads(file.read_text(encoding="utf-8"))
            python, project, home = Path(noted["python"]), Path(noted["project"]), noted.get("home")
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        chosen = default_home() if os.environ.get(HOME_VARIABLE) or not home else Path(home)
        return Installation(python, project, chosen) if python.is_file() and project.is_dir() else None


class Launcher:
    """One for each Krita.  ``file`` is the installer's note; it is read anew at each start, so installing needs no restart."""

    def __init__(self, file: Path, spawn: Callable[..., Any] = subprocess.Popen) -> None:
        self._file, self._spawn = file, spawn
        self._one_at_a_time = threading.Lock()
        self._started: Optional[Any] = None

    @staticmethod
    def installed() -> "Launcher":
        """The launcher of this plugin's own installation."""
        return Launcher(Path(__file__).resolve().parent.parent / "installation.json")

    def connect(self, say: Callable[[str], None], unwanted: Callable[[], bool]) -> ServerInfo:
        """How to reach the backend, which answers; it is started when none runs.

        say: told, in words for the painter, when something takes time.  unwanted: whether to give up waiting.
        LinewashError: NOT_INSTALLED, BACKEND_START, VERSION_MISMATCH, BAD_TOKEN.
        """
        with self._one_at_a_time:
            installation = Installation.read(self._file)
            home = installation.home if installation else default_home()
            info = self._running(home)
            if info is not None:
                return info
            if installation is None:
                raise LinewashError(ErrorCode.NOT_INSTALLED, str(self._file))
            say("Starting Linewash…")
            self._start(installation)
            return self._wait(home, unwanted)

    def running(self) -> Optional[ServerInfo]:
        """How to reach the backend when one runs already, None otherwise.  LinewashError VERSION_MISMATCH, BAD_TOKEN."""
        installation = Installation.read(self._file)
        return self._running(installation.home if installation else default_home())

    def _running(self, home: Path) -> Optional[ServerInfo]:
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

    def _start(self, installation: Installation) -> None:
        log = log_file(installation.home)
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [str(installation.python), "-m", "backend", "serve", "--home", str(installation.home)]
        try:
            with (log.parent / "start.log").open("wb") as output:
                self._started = self._spawn(
                    command,
                    cwd=str(installation.project),
                    env=clean_environment(dict(os.environ)),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    **detached(),
                )
        except OSError as error:
            raise LinewashError(ErrorCode.BACKEND_START, repr(error)) from error

    def _wait(self, home: Path, unwanted: Callable[[], bool]) -> ServerInfo:
        end, shortened = time.monotonic() + START_S, False
        while time.monotonic() < end and not unwanted():
            info = self._running(home) if server_file(home).exists() else None
            if info is not None:
                return info
            if self._started is not None and self._started.poll() is not None and not shortened:
                # It ends at once when another one, of a second Krita say, is just starting: that one will answer soon.
                end, shortened = time.monotonic() + OTHER_S, True
            time.sleep(_POLL_S)
        raise LinewashError(ErrorCode.BACKEND_START, _tail(home))


def clean_environment(environment: Dict[str, str]) -> Dict[str, str]:
    """``environment`` without what Krita set for its own Python and Qt, which would mislead the backend's."""
    own: List[str] = list(_KRITAS_OWN)
    if "APPDIR" in environment:
        own += _APPIMAGE_OWN
    return {name: value for name, value in environment.items() if name not in own}


def detached() -> Dict[str, Any]:
    """Options for Popen so that the backend lives on when Krita ends, and no console window opens on Windows."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return {"creationflags": flags, "close_fds": True}
    return {"start_new_session": True, "close_fds": True}


def _tail(home: Path) -> str:
    try:
        return (log_file(home).parent / "start.log").read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace")
    except OSError as error:
        return repr(error)
