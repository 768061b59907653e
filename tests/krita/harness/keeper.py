"""Keeps what the server has of a job: what was sent to it, or what it wrote; it forgets both when they have served."""

import contextlib
import os
import threading
from pathlib import Path

INCOMING = "incoming-"
"""Begins the name of a folder whose parts are still arriving; it is renamed when they are whole."""


class Keeper:
    """Links every ``<job>/result/*`` that appears below ``watched`` into ``kept/<job>``, so that it outlives its deletion.

    The server writes a result aside and renames its folder into place, so what is seen here is whole.

    folder: ``result``, or ``inputs`` for the parts of the request.
    """

    def __init__(self, watched: Path, kept: Path, folder: str = "result") -> None:
        self.watched, self.kept, self.folder = watched, kept, folder
        self.jobs: list[Path] = []
        self._known: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="keeper")

    def __enter__(self) -> "Keeper":
        self._known = {path.name for path in self.watched.glob("*")}
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._stop.wait(0.02):
            for result in self.watched.glob(f"*/{self.folder}"):
                if result.parent.name not in self._known and not result.parent.name.startswith(INCOMING):
                    self._keep(result)

    def _keep(self, result: Path) -> None:
        aim = self.kept / result.parent.name
        if aim not in self.jobs:
            aim.mkdir(parents=True)
            self.jobs.append(aim)
        with contextlib.suppress(FileNotFoundError):  # acknowledged between the look and the link
            for file in result.iterdir():
                if not (aim / file.name).exists():
                    os.link(file, aim / file.name)
