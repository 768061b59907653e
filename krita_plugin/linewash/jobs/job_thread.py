"""Threads: those that bring a picture answer as signals; small ones run single errands."""

import logging
import threading
from typing import Any, Callable, Optional, Tuple

from ..qt import QtCore, Signal
from ..shared.client import Client
from ..shared.errors import ErrorCode, LinewashError
from ..shared.paths import ServerInfo
from ..shared.protocol import LAYER_BACKGROUND, LAYER_FOREGROUND, LAYER_LINES, JobStatus
from ..state.session import Progress
from ..transfer.layer_writer import ResultLayers
from .backend_launcher import Launcher

_log = logging.getLogger(__name__)


class JobResult:
    """A finished job: its answer, what to tell the painter, and how to tell the backend that it is safe in the document."""

    def __init__(self, answer: ResultLayers, status: JobStatus, text: str, acknowledge: Callable[[], None]) -> None:
        self.answer, self.status, self.text, self.acknowledge = answer, status, text, acknowledge


class JobThread(QtCore.QThread):
    """Brings a picture.  Emits ``news`` (Progress) and at last exactly one of ``delivered`` (Delivery) and ``failed``.

    After ``cancel`` it says nothing any more.
    """

    progress = Signal(object)
    delivered = Signal(object)
    failed = Signal(object)
    _work: Callable[[], Optional[JobResult]]
    """Each kind's own: brings the picture, None when it is not wanted any more.  Runs in the thread."""

    def __init__(self, launcher: Launcher, connect: Callable[[ServerInfo], Client], parent: "QtCore.QObject") -> None:
        super().__init__(parent)
        self._launcher, self._connect = launcher, connect
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Stop at the next opportunity, without a signal.  Returns at once; ``stop_job`` tells the backend."""
        self._cancelled.set()

    def stop_job(self) -> None:
        """Tell the backend to stop, where it works; blocks, so it is run as an errand."""

    def run(self) -> None:
        """The thread."""
        try:
            delivery = self._work()
        except LinewashError as error:
            self._emit(self.failed, error)
        except Exception as error:  # noqa: BLE001 - a thread that dies without a word would leave the painter waiting for ever
            _log.exception("a job failed")
            self._emit(self.failed, LinewashError(ErrorCode.INTERNAL, repr(error)))
        else:
            if delivery is not None:
                self._emit(self.delivered, delivery)

    def _emit(self, signal: Any, value: Any) -> None:
        if not self._cancelled.is_set():
            signal.emit(value)

    def _report(self, text: str) -> None:
        self._emit(self.progress, Progress(text))

    def _acknowledge(self, info: ServerInfo, job_id: str) -> None:
        with self._connect(info) as client:
            client.acknowledge(job_id)


class BackgroundTask(QtCore.QThread):
    """Runs one blocking call and emits what it returned; an error is only noted in the log."""

    returned = Signal(object)

    def __init__(self, call: Callable[[], Any], parent: "QtCore.QObject") -> None:
        super().__init__(parent)
        self._call = call

    def run(self) -> None:
        """The thread."""
        try:
            value = self._call()
        except LinewashError as error:
            _log.info("an errand failed: %s", error)
        except Exception:  # noqa: BLE001 - it must not end as a dialog with a traceback in front of the painter
            _log.exception("an errand failed")
        else:
            self.returned.emit(value)


def result_layer_names(status: JobStatus) -> Tuple[str, ...]:
    """The layers of a finished job that the docker takes, in the order of ``Answer``."""
    return (LAYER_FOREGROUND, LAYER_BACKGROUND) + ((LAYER_LINES,) if LAYER_LINES in status.layers else ())
