"""Finished results that nobody has acknowledged: their document changed meanwhile, or the Krita that asked for them is gone."""

import logging
import time
from typing import Callable, Dict, List, Optional, Sequence, Set, Tuple

from ..event_loop import EventLoop, in_thread
from ..qt import QtCore, Signal
from ..shared.errors import LinewashError
from ..shared.protocol import JobState, JobStatus
from .backend_connection import BackendConnection

UNCLAIMED_AFTER_S = 20.0
"""How long a finished result must lie there before it counts as unclaimed: another Krita may be just fetching it."""

_log = logging.getLogger(__name__)


class UnclaimedResults(QtCore.QObject):
    """``changed`` is emitted when other results are offered.  is_busy: whether a job of this Krita is on its way."""

    changed = Signal()

    def __init__(
        self, loop: EventLoop, connection: BackendConnection, is_busy: Callable[[], bool], parent: "QtCore.QObject"
    ) -> None:
        super().__init__(parent)
        self._loop, self._connection, self._is_busy = loop, connection, is_busy
        self.jobs: Tuple[JobStatus, ...] = ()
        """What is offered to the painter, oldest first."""
        self._first_seen: Dict[str, float] = {}
        self._dismissed: Set[str] = set()
        self._is_asking = False
        self._retry = QtCore.QTimer(self)
        self._retry.setSingleShot(True)
        self._retry.timeout.connect(self.refresh)

    def stop(self) -> None:
        """Krita ends: do not ask again."""
        self._retry.stop()

    def refresh(self) -> None:
        """Ask the backend if one runs."""
        if not self._is_asking:
            self._is_asking = True
            self._loop.start(self._update())

    def add(self, status: JobStatus) -> None:
        """Offer a finished result that had no place in its document."""
        self._first_seen[status.id] = time.monotonic() - UNCLAIMED_AFTER_S
        self._offer([job for job in self.jobs if job.id != status.id] + [status])

    def dismiss(self, *ids: str) -> None:
        """Do not offer these any more: they are in a document, or discarded.  The backend may take a while to forget them."""
        self._dismissed |= set(ids)
        self._offer(self.jobs)

    def discard_all(self) -> None:
        """Discard everything that is offered."""
        ids = [status.id for status in self.jobs]
        self.dismiss(*ids)
        self._loop.threads.start(lambda: self._acknowledge(ids))

    async def _update(self) -> None:
        try:
            finished = await in_thread(self._list_finished)
        except LinewashError as error:  # the painter reads what is wrong when they need the backend
            _log.info("finished results cannot be asked for: %s", error)
            return
        finally:
            self._is_asking = False
        if finished is None or self._is_busy():  # a job of this Krita may be among them; when it has ended, we ask again
            return
        now = time.monotonic()
        self._first_seen = {status.id: self._first_seen.get(status.id, now) for status in finished}
        unclaimed = [status for status in finished if now - self._first_seen[status.id] >= UNCLAIMED_AFTER_S]
        self._offer(unclaimed)
        if len(unclaimed) < len(finished):
            self._retry.start(int(1000 * UNCLAIMED_AFTER_S) + 100)

    def _list_finished(self) -> Optional[List[JobStatus]]:
        """In a thread: the finished jobs, None when no backend runs."""
        info = self._connection.find()
        if info is None:
            return None
        with self._connection.create_client(info) as client:
            return [status for status in client.jobs() if status.state is JobState.DONE]

    def _acknowledge(self, ids: Sequence[str]) -> None:
        """In a thread: let the backend forget these jobs."""
        with self._connection.create_client(self._connection.find_or_start()) as client:
            for job_id in ids:
                client.acknowledge(job_id)

    def _offer(self, jobs: Sequence[JobStatus]) -> None:
        offered = tuple(status for status in jobs if status.id not in self._dismissed)
        if offered != self.jobs:
            self.jobs = offered
            self.changed.emit()
