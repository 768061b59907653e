"""What every job of the docker has in common: it runs in a thread, reports its progress, and can be cancelled."""

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Callable, Tuple

from ..shared.paths import ServerInfo
from ..shared.protocol import LAYER_BACKGROUND, LAYER_FOREGROUND, LAYER_LINES, JobStatus
from ..state.session import Progress
from ..transfer.group_builder import ResultLayers
from .backend_connection import BackendConnection


class JobCancelled(Exception):  # noqa: N818 - no error
    """Raised in the thread of a job that was cancelled."""


@dataclass(frozen=True)
class JobResult:
    """A finished job."""

    layers: ResultLayers
    status: JobStatus
    text: str
    """What to tell the painter."""
    acknowledge: Callable[[], None]
    """Tells the backend that the layers are in the document.  Blocks."""


class BackendJob(ABC):
    """Gets the layers of one result from the backend; each kind of job has its own ``run``."""

    def __init__(self, connection: BackendConnection, report: Callable[[Progress], None]) -> None:
        self._connection, self._report_progress = connection, report
        self._cancelled = threading.Event()

    @abstractmethod
    def run(self) -> JobResult:
        """The whole job; blocks.  LinewashError, or JobCancelled after ``cancel``."""

    def cancel(self) -> None:
        """Let ``run`` end at the next opportunity.  Returns at once."""
        self._cancelled.set()

    def stop_backend_job(self) -> None:  # noqa: B027 - not every job is worked on by the backend
        """Tell the backend to stop, where it works on the job.  Blocks, so it runs in a thread beside that of ``run``."""

    @property
    def is_cancelled(self) -> bool:
        """Whether ``cancel`` was called."""
        return self._cancelled.is_set()

    def _stop_if_cancelled(self) -> None:
        if self.is_cancelled:
            raise JobCancelled

    def _report(self, progress: Progress) -> None:
        if not self.is_cancelled:
            self._report_progress(progress)

    def _report_text(self, text: str) -> None:
        self._report(Progress(text))

    def _find_or_start_backend(self) -> ServerInfo:
        return self._connection.find_or_start(self._report_text, self._cancelled.is_set)

    def _acknowledge(self, info: ServerInfo, job_id: str) -> None:
        with self._connection.create_client(info) as client:
            client.acknowledge(job_id)


def result_layer_names(status: JobStatus) -> Tuple[str, ...]:
    """The layers of a finished job that the docker takes, in the order of ``ResultLayers``."""
    return (LAYER_FOREGROUND, LAYER_BACKGROUND) + ((LAYER_LINES,) if LAYER_LINES in status.layers else ())
