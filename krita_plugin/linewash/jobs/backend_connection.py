"""How threads reach the backend.  All of it blocks."""

import threading
from pathlib import Path
from typing import Callable, Optional

from ..shared.client import Client
from ..shared.paths import ServerInfo
from .backend_launcher import Launcher


def ignore_report(text: str) -> None:
    """Takes a report of progress that nobody reads."""


class BackendConnection:
    """The launcher and the client class, for everything that runs in threads; open until Krita ends."""

    def __init__(self, launcher: Launcher, create_client: Callable[[ServerInfo], Client]) -> None:
        self.create_client = create_client
        self._launcher = launcher
        self._closed = threading.Event()

    @property
    def is_closed(self) -> bool:
        """Whether Krita is about to end."""
        return self._closed.is_set()

    def close(self) -> None:
        """Krita ends; whoever still waits for the backend gives up."""
        self._closed.set()

    def find(self) -> Optional[ServerInfo]:
        """How to reach the backend when one runs, None otherwise.  LinewashError VERSION_MISMATCH, BAD_TOKEN."""
        return self._launcher.find()

    def models_folder(self) -> Path:
        """Folder of the models that the painter added."""
        return self._launcher.models_folder()

    def find_or_start(
        self, report: Callable[[str], None] = ignore_report, is_cancelled: Optional[Callable[[], bool]] = None
    ) -> ServerInfo:
        """How to reach the backend, which is started when none runs.  LinewashError as ``Launcher.find_or_start``."""
        return self._launcher.find_or_start(report, is_cancelled or self._closed.is_set)
