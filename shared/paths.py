"""Folders and files of the painter's data, and the file that says where a running backend listens."""

import ctypes
import json
import os
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Dict, Optional

from .sandbox import current_sandbox, is_snap, sees_all_processes

HOME_VARIABLE = "LINEWASH_HOME"
"""Environment variable that overrides ``default_home``."""


def default_home() -> Path:
    r"""The folder of the user's Linewash data; it need not exist yet.

    ``$LINEWASH_HOME``, else the platform's folder for application data: ``$XDG_DATA_HOME/linewash`` or
    ``~/.local/share/linewash``, ``~/Library/Application Support/linewash``, ``%LOCALAPPDATA%\linewash``.  In Krita's Snap the
    folder that all its versions share: the other one is copied with each update.
    """
    chosen = os.environ.get(HOME_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    common = os.environ.get("SNAP_USER_COMMON")
    if common and is_snap(current_sandbox(os.environ)):
        return Path(common) / "linewash"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "linewash"


def recorded_path(text: str) -> Path:
    """The path that was written into JSON as ``text``, in the form that this Python hands to the system.

    A Krita whose locale is plain C has a Python that knows ASCII alone; the bytes of a path are UTF-8 all the same.
    """
    return Path(os.fsdecode(text.encode("utf-8", "surrogateescape")))


def runtime_dir(home: Path) -> Path:
    """Folder (mode 0700) of the running backend's own files."""
    return home / "runtime"


def server_file(home: Path) -> Path:
    """The file (mode 0600) that holds a running backend's ``ServerInfo`` as JSON."""
    return runtime_dir(home) / "server.json"


def lock_file(home: Path) -> Path:
    """The file that a running backend keeps locked, so that each home has at most one."""
    return runtime_dir(home) / "server.lock"


def jobs_dir(home: Path) -> Path:
    """Folder of jobs and their unacknowledged results."""
    return home / "jobs"


def models_dir(home: Path) -> Path:
    """Folder of models the user added."""
    return home / "models"


def program_dir(home: Path) -> Path:
    """Folder of the program itself, where a release put it; a checkout is its own folder."""
    return home / "program"


def program_file(home: Path) -> Path:
    """JSON with python, project, home, version and protocol of the release in ``program_dir``; written last, when all works."""
    return program_dir(home) / "installation.json"


def setup_file(home: Path) -> Path:
    """The file that says how the set-up is getting on, see ``setup_progress``."""
    return home / "setup" / "progress.json"


def settings_file(home: Path) -> Path:
    """JSON with what the painter has chosen for the backend: ``device`` and ``number_format``."""
    return home / "settings.json"


def log_file(home: Path) -> Path:
    """The backend's log; older logs are beside it: ``backend.log.1`` and so on."""
    return home / "logs" / "backend.log"


@dataclass(frozen=True)
class ServerInfo:
    """How to reach a running backend."""

    host: str
    """Always a loopback address."""
    port: int
    token: str
    """The key that every request must carry."""
    pid: int
    """Number of the server process."""
    protocol: int
    """``protocol.PROTOCOL_VERSION`` of the server."""
    version: str
    """``protocol.PRODUCT_VERSION`` of the server."""

    def to_json(self) -> Dict[str, Any]:
        """A JSON object that ``from_json`` turns back into an equal value."""
        return asdict(self)

    @staticmethod
    def from_json(data: Any) -> "ServerInfo":
        """The value in ``data``; ValueError when a field is missing or of another type."""
        if not isinstance(data, dict):
            raise ValueError("server information is not a JSON object")
        values: Dict[str, Any] = {f.name: data.get(f.name) for f in fields(ServerInfo)}
        info = ServerInfo(**values)
        texts, numbers = (info.host, info.token, info.version), (info.port, info.pid, info.protocol)
        if not all(type(text) is str for text in texts) or not all(type(number) is int for number in numbers):
            raise ValueError("server information lacks a field")
        if not 0 < info.port < 65536 or info.pid <= 0:
            raise ValueError("server information is out of range")
        return info

    def __repr__(self) -> str:
        """Without the token, so that no log ever holds it."""
        return "ServerInfo(%s:%d, pid %d, protocol %d, %s)" % (self.host, self.port, self.pid, self.protocol, self.version)


def read_server_info(home: Path) -> Optional[ServerInfo]:
    """Where the backend of ``home`` listens, or None when the file is missing, damaged or left by a process that has ended.

    The process number may have been reused by another program; ``client.find_server`` asks who answers.
    """
    try:
        info = ServerInfo.from_json(json.loads(server_file(home).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
    return info if process_alive(info.pid) else None


def process_alive(pid: int) -> bool:
    """Whether a process with this number runs (a finished one whose parent has not collected it counts).

    In a Flatpak, which does not see the processes outside, it is taken to run; whoever needs to know has to ask it.
    """
    if not sees_all_processes():
        return True
    if sys.platform == "win32":  # os.kill(pid, 0) would end the process there
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
        if not handle:
            return False
        code = ctypes.c_ulong()
        kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        kernel.CloseHandle(handle)
        return code.value == 259  # STILL_ACTIVE
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
