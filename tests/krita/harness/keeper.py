"""Keeps what the server wrote for a job, which it forgets once the layers are in the document."""

import contextlib
import os
import threading
from pathlib import Path


class Keeper:
    """Links every ``<job>/result/*`` that appears below ``watched`` into ``kept/<job>``, so that it outlives its deletion.

    The server writes a result aside and renames its folder into place, so what is seen here is whole.
    """

    def __init__(self, watched: Path, kept: Path) -> None:
        self.watched, self.kept = watched, kept
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
            for result in self.watched.glob("*/result"):
                if result.parent.name not in self._known:
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
