"""Finished pictures that wait in the backend: their picture was changed meanwhile, or the Krita that asked for them is gone."""

import logging
import threading
import time
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

from ..qt import QtCore
from ..shared.client import Client
from ..shared.errors import LinewashError
from ..shared.protocol import JobState, JobStatus
from .backend_launcher import Launcher

UNCLAIMED_AFTER_S = 20.0
"""How long a finished picture must lie there before it counts as left behind: another Krita may be just fetching it."""

_log = logging.getLogger(__name__)


class UnclaimedResults(QtCore.QObject):
    """``jobs``: what is offered to the painter, oldest first."""

    def __init__(self, studio: Any, launcher: Launcher, connect: Callable[..., Client]) -> None:
        super().__init__(studio)
        self.jobs: Tuple[JobStatus, ...] = ()
        self._studio, self._launcher, self._connect = studio, launcher, connect
        self._since: Dict[str, float] = {}
        self._settled: Set[str] = set()
        self._asking = False
        self._ended = threading.Event()
        self._again = QtCore.QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self.refresh)

    def end(self) -> None:
        """Krita ends."""
        self._ended.set()
        self._again.stop()

    def refresh(self) -> None:
        """Ask the backend if one runs."""
        if not self._asking:
            self._asking = True
            self._studio.run_in_background(self._finished, self._found)

    def add(self, status: JobStatus) -> None:
        """A finished picture found no place."""
        self._since[status.id] = time.monotonic() - UNCLAIMED_AFTER_S
        self._offer([each for each in self.jobs if each.id != status.id] + [status])

    def dismiss(self, *ids: str) -> None:
        """These are in a picture, or not wanted; they are offered no more, however slowly the backend forgets them."""
        self._settled |= set(ids)
        self._offer(list(self.jobs))

    def discard_all(self) -> None:
        """Let the backend forget what is offered."""
        ids = [status.id for status in self.jobs]
        self.dismiss(*ids)
        self._studio.run_in_background(lambda: self._forget(ids))

    def _forget(self, ids: List[str]) -> None:
        """In a thread."""
        with self._connect(self._launcher.connect(lambda text: None, self._ended.is_set)) as client:
            for each in ids:
                client.acknowledge(each)

    def _finished(self) -> Optional[List[JobStatus]]:
        """In a thread: the finished jobs, None when nobody can be asked; what is wrong is told when it is needed."""
        try:
            info = self._launcher.running()
            if info is None:
                return None
            with self._connect(info) as client:
                return [status for status in client.jobs() if status.state is JobState.DONE]
        except LinewashError as error:
            _log.info("finished pictures cannot be asked for: %s", error)
            return None

    def _found(self, finished: Optional[List[JobStatus]]) -> None:
        self._asking = False
        if finished is None or self._studio.busy:  # a job of this Krita may be among them; its end looks again
            return
        now = time.monotonic()
        self._since = {status.id: self._since.get(status.id, now) for status in finished}
        old = [status for status in finished if now - self._since[status.id] >= UNCLAIMED_AFTER_S]
        self._offer(old)
        if len(old) < len(finished):
            self._again.start(int(1000 * UNCLAIMED_AFTER_S) + 100)

    def _offer(self, jobs: List[JobStatus]) -> None:
        offered = tuple(status for status in jobs if status.id not in self._settled)
        if offered != self.jobs:
            self.jobs = offered
            self._studio.changed.emit(0)
