"""Threads: one runs a whole job against the backend and answers as signals; small ones run single errands."""

import logging
import threading
import time
import uuid
from typing import Any, Callable, Dict, Optional, Tuple

from . import images
from .capture import Captured
from .launcher import Launcher
from .pixels import Pixels
from .qt import QtCore, QtGui, Signal
from .session import Progress, words_for
from .settings import ForegroundKind
from .shared.client import Client
from .shared.errors import ErrorCode, LinewashError
from .shared.paths import ServerInfo
from .shared.protocol import (
    LAYER_BACKGROUND,
    LAYER_FOREGROUND,
    LAYER_LINES,
    PART_HINTS,
    PART_PREVIOUS_BACKGROUND,
    PART_PREVIOUS_FOREGROUND,
    PART_REGION,
    JobState,
    JobStatus,
)
from .writer import Answer

WAIT_S = 1.0
"""Longest wait for news in one call: so long may Krita's end have to wait for this thread."""

_log = logging.getLogger(__name__)


class Delivery:
    """A finished job: its answer, and how to tell the backend that it is safe in the document."""

    def __init__(self, answer: Answer, status: JobStatus, seconds: float, acknowledge: Callable[[], None]) -> None:
        self.answer, self.status, self.seconds, self.acknowledge = answer, status, seconds, acknowledge


class Worker(QtCore.QThread):
    """Runs one job.  Emits ``news`` (Progress) and at last exactly one of ``delivered`` (Delivery) and ``failed``.

    After ``cancel`` it says nothing any more.
    """

    news = Signal(object)
    delivered = Signal(object)
    failed = Signal(object)

    def __init__(
        self, captured: Captured, launcher: Launcher, connect: Callable[[ServerInfo], Client], parent: "QtCore.QObject"
    ) -> None:
        super().__init__(parent)
        self._captured: Optional[Captured] = captured
        self._launcher, self._connect = launcher, connect
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._job: Optional[Tuple[ServerInfo, str]] = None

    def cancel(self) -> None:
        """Stop at the next opportunity, without a signal.  Returns at once; ``stop_job`` tells the backend."""
        self._cancelled.set()

    def stop_job(self) -> None:
        """Tell the backend to stop; blocks, so it is run as an errand, beside the thread's own long-poll."""
        with self._lock:
            job = self._job
        if job is not None:
            with self._connect(job[0]) as client:
                client.cancel(job[1])

    def run(self) -> None:
        """The thread."""
        try:
            delivery = self._work()
        except LinewashError as error:
            self._tell(self.failed, error)
        except Exception as error:  # noqa: BLE001 - a thread that dies without a word would leave the painter waiting for ever
            _log.exception("a job failed")
            self._tell(self.failed, LinewashError(ErrorCode.INTERNAL, repr(error)))
        else:
            if delivery is not None:
                self._tell(self.delivered, delivery)

    def _tell(self, signal: Any, value: Any) -> None:
        if not self._cancelled.is_set():
            signal.emit(value)

    def _say(self, text: str) -> None:
        self._tell(self.news, Progress(text))

    def _work(self) -> Optional[Delivery]:
        begun = time.monotonic()
        captured, self._captured = self._captured, None  # its pixels, hundreds of megabytes maybe, go once they are packed
        if captured is None:
            raise LinewashError(ErrorCode.INTERNAL, "a worker works once")
        request, lines_id = captured.request, captured.lines_id
        parts, paper = pack(captured), images.is_paper(captured.lines)
        del captured
        if self._cancelled.is_set():
            return None
        info = self._launcher.connect(self._say, self._cancelled.is_set)
        if self._cancelled.is_set():
            return None
        with self._connect(info) as client:
            self._say("Sending the picture…")
            status = client.submit(request, parts, uuid.uuid4().hex)
            with self._lock:
                self._job = (info, status.id)
            status = self._follow(client, status)
            if self._cancelled.is_set():
                client.cancel(status.id)  # the errand of ``stop_job`` may have come before there was a job
                return None
            if status.state is not JobState.DONE:
                raise status.error or LinewashError(ErrorCode.INTERNAL, "the job ended as %s" % status.state.value)
            self._say("Fetching the layers…")
            size = (request.width, request.height)
            names = (LAYER_FOREGROUND, LAYER_BACKGROUND) + ((LAYER_LINES,) if LAYER_LINES in status.layers else ())
            layers = [images.layer_strips(client.layer(status.id, name), size) for name in names]
        answer = Answer(size, status.model, status.seed, lines_id, paper, *layers)
        return Delivery(answer, status, time.monotonic() - begun, lambda: self._acknowledge(info, status.id))

    def _follow(self, client: Client, status: JobStatus) -> JobStatus:
        preview = 0
        while not status.state.terminal and not self._cancelled.is_set():
            image = None
            if status.preview > preview:
                preview, image = status.preview, QtGui.QImage.fromData(client.preview(status.id))
            self._tell(self.news, Progress(words_for(status), status.progress, image))
            status = client.status(status.id, after=status.revision, wait_s=WAIT_S)
        return status

    def _acknowledge(self, info: ServerInfo, job_id: str) -> None:
        with self._connect(info) as client:
            client.acknowledge(job_id)


class Errand(QtCore.QThread):
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


def pack(captured: Captured) -> Dict[str, bytes]:
    """The parts of the request as PNG.  Raises EMPTY_LINES, EMPTY_REFERENCE, REFERENCE_UNREADABLE, EMPTY_MASK,
    EMPTY_SELECTION, MASK_SIZE, EMPTY_HINTS, EMPTY_REGION.
    """
    parts = {"lines": images.lines_png(captured.lines)}
    for number, reference in enumerate(captured.references):
        packed = images.reference_png(reference) if isinstance(reference, Pixels) else images.reference_file_png(reference)
        parts["reference%d" % number] = packed
    if captured.mask is not None:
        if captured.foreground is ForegroundKind.SELECTION:
            parts["foreground"] = images.grey_png(captured.mask, ErrorCode.EMPTY_SELECTION)
        elif captured.foreground is ForegroundKind.ALPHA:
            parts["foreground"] = images.alpha_png(captured.mask)
        else:
            parts["foreground"] = images.mask_png(captured.mask)
    if captured.hints is not None:
        parts[PART_HINTS] = images.hints_png(captured.hints)
    if captured.selection is not None and captured.previous is not None:
        parts[PART_REGION] = images.grey_png(captured.selection, ErrorCode.EMPTY_REGION)
        names = (PART_PREVIOUS_FOREGROUND, PART_PREVIOUS_BACKGROUND)
        for name, layer in zip(names, captured.previous):
            parts[name] = images.to_png(images.image_of(layer))
    return parts
