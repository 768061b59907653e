"""The thread that runs a whole job against the backend."""

import threading
import time
import uuid
from typing import Any, Dict, Optional, Tuple

from ..images import codec
from ..krita_api.pixel_data import PixelData
from ..qt import QtGui
from ..shared.client import Client
from ..shared.errors import ErrorCode, LinewashError
from ..shared.multipart import Part
from ..shared.paths import ServerInfo
from ..shared.protocol import PART_HINTS, PART_PREVIOUS_BACKGROUND, PART_PREVIOUS_FOREGROUND, PART_REGION, JobState, JobStatus
from ..shared.result_names import result_name
from ..state.choices import ForegroundChoice
from ..state.session import Progress, describe_progress
from ..transfer.layer_capture import Captured
from ..transfer.layer_writer import ResultLayers
from .job_thread import JobResult, JobThread, result_layer_names

WAIT_S = 1.0
"""Longest wait for news in one call: so long may Krita's end have to wait for this thread."""


class ColorizeJob(JobThread):
    """Runs one job.  way: how it is colored, for the result's name."""

    def __init__(self, captured: Captured, way: str, *others: Any) -> None:
        super().__init__(*others)
        self._captured: Optional[Captured] = captured
        self._way = way
        self._lock = threading.Lock()
        self._job: Optional[Tuple[ServerInfo, str]] = None

    def stop_job(self) -> None:
        """Tell the backend to stop; blocks, so it is run as an errand, beside the thread's own long-poll."""
        with self._lock:
            job = self._job
        if job is not None:
            with self._connect(job[0]) as client:
                client.cancel(job[1])

    def _work(self) -> Optional[JobResult]:
        begun = time.monotonic()
        captured, self._captured = self._captured, None  # its pixels, hundreds of megabytes maybe, go once they are packed
        if captured is None:
            raise LinewashError(ErrorCode.INTERNAL, "a worker works once")
        request, lines_id = captured.request, captured.lines_id
        parts, paper = encode_parts(captured), codec.is_opaque_paper(captured.lines)
        del captured
        if self._cancelled.is_set():
            return None
        info = self._launcher.connect(self._report, self._cancelled.is_set)
        if self._cancelled.is_set():
            return None
        with self._connect(info) as client:
            self._report("Sending the picture…")
            status = client.submit(request, parts, uuid.uuid4().hex)
            with self._lock:
                self._job = (info, status.id)
            status = self._follow(client, status)
            if self._cancelled.is_set():
                client.cancel(status.id)  # the errand of ``stop_job`` may have come before there was a job
                return None
            if status.state is not JobState.DONE:
                raise status.error or LinewashError(ErrorCode.INTERNAL, "the job ended as %s" % status.state.value)
            self._report("Fetching the layers…")
            size = (request.width, request.height)
            layers = [codec.layer_strips(client.layer(status.id, name), size) for name in result_layer_names(status)]
        answer = ResultLayers(size, size, result_name(status.seed, self._way, status.model), lines_id, paper, *layers)
        text = "Done in %.1f s · %s · seed %d." % (time.monotonic() - begun, status.model, status.seed)
        return JobResult(answer, status, text, lambda: self._acknowledge(info, status.id))

    def _follow(self, client: Client, status: JobStatus) -> JobStatus:
        preview = 0
        while not status.state.terminal and not self._cancelled.is_set():
            image = None
            if status.preview > preview:
                preview, image = status.preview, QtGui.QImage.fromData(client.preview(status.id))
            self._emit(self.progress, Progress(describe_progress(status), status.progress, image))
            status = client.status(status.id, after=status.revision, wait_s=WAIT_S)
        return status


def encode_parts(captured: Captured) -> Dict[str, Part]:
    """The parts of the request as PNG.  Raises EMPTY_LINES, EMPTY_REFERENCE, REFERENCE_UNREADABLE, EMPTY_MASK,
    EMPTY_SELECTION, MASK_SIZE, EMPTY_HINTS, EMPTY_REGION.
    """
    parts: Dict[str, Part] = {"lines": codec.lines_png(captured.lines)}
    for number, reference in enumerate(captured.references):
        packed = codec.reference_png(reference) if isinstance(reference, PixelData) else codec.reference_file_png(reference)
        parts["reference%d" % number] = packed
    if captured.mask is not None:
        if captured.foreground is ForegroundChoice.SELECTION:
            parts["foreground"] = codec.gray_png(captured.mask, ErrorCode.EMPTY_SELECTION)
        elif captured.foreground is ForegroundChoice.ALPHA:
            parts["foreground"] = codec.alpha_png(captured.mask)
        else:
            parts["foreground"] = codec.mask_png(captured.mask)
    if captured.hints is not None:
        parts[PART_HINTS] = codec.hints_png(captured.hints)
    if captured.selection is not None and captured.previous is not None:
        parts[PART_REGION] = codec.gray_png(captured.selection, ErrorCode.EMPTY_REGION)
        names = (PART_PREVIOUS_FOREGROUND, PART_PREVIOUS_BACKGROUND)
        for name, layer in zip(names, captured.previous):
            parts[name] = codec.encode_png(codec.image_of(layer))
    return parts
