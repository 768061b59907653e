"""The job that colors: sends what was captured to the backend, follows it, and fetches the layers."""

import threading
import time
import uuid
from functools import partial
from typing import Callable, Optional, Tuple

from ..images import codec
from ..images.foreground_masks import alpha_mask, gray_mask, painted_mask, unite_masks
from ..krita_api.pixel_data import PixelData
from ..qt import QtGui
from ..shared.client import Client
from ..shared.errors import ErrorCode, LinewashError
from ..shared.multipart import Part
from ..shared.paths import ServerInfo
from ..shared.protocol import JobState, JobStatus
from ..shared.request_parts import RequestParts
from ..shared.result_names import result_name
from ..state.choices import ForegroundChoice
from ..state.session import Progress, describe_progress
from ..transfer.group_builder import ResultLayers
from ..transfer.layer_capture import CapturedLayers, CapturedMask
from .backend_connection import BackendConnection
from .backend_job import BackendJob, JobCancelled, JobResult, result_layer_names

WAIT_S = 1.0
"""Longest wait for news in one call, seconds: so long may Krita's end have to wait for this thread."""


class ColorizeJob(BackendJob):
    """One coloring.  mode_label: how it colors, for the result's name."""

    def __init__(
        self,
        captured: CapturedLayers,
        mode_label: str,
        connection: BackendConnection,
        report: Callable[[Progress], None],
    ) -> None:
        super().__init__(connection, report)
        self._captured: Optional[CapturedLayers] = captured
        self._mode_label = mode_label
        self._lock = threading.Lock()
        self._backend_job: Optional[Tuple[ServerInfo, str]] = None

    def stop_backend_job(self) -> None:
        """Tell the backend to stop; blocks, and overtakes the long-poll of ``run``."""
        with self._lock:
            backend_job = self._backend_job
        if backend_job is not None:
            info, job_id = backend_job
            with self._connection.create_client(info) as client:
                client.cancel(job_id)

    def run(self) -> JobResult:
        """The whole job.  LinewashError for whatever is wrong with the layers, and whatever the backend says."""
        begun = time.monotonic()
        captured, self._captured = self._captured, None  # its pixels, hundreds of megabytes maybe, go once they are encoded
        if captured is None:
            raise LinewashError(ErrorCode.INTERNAL, "a job runs once")
        request, lines_id = captured.request, captured.lines_id
        # Before the backend is looked for: what is wrong with the layers is said without waiting for it.
        parts, on_paper = encode_parts(captured), codec.is_opaque_paper(captured.lines)
        del captured
        self._stop_if_cancelled()
        info = self._find_or_start_backend()
        self._stop_if_cancelled()
        with self._connection.create_client(info) as client:
            self._report_text("Sending the image…")
            status = client.submit(request, parts, uuid.uuid4().hex)
            with self._lock:
                self._backend_job = (info, status.id)
            status = self._follow(client, status)
            if self.is_cancelled:
                client.cancel(status.id)  # ``stop_backend_job`` may have come before there was a job
                raise JobCancelled
            if status.state is not JobState.DONE:
                raise status.error or LinewashError(ErrorCode.INTERNAL, "the job ended as %s" % status.state.value)
            self._report_text("Fetching the layers…")
            size = (request.width, request.height)
            images = [codec.decode_layer_strips(client.layer(status.id, name), size) for name in result_layer_names(status)]
        name = result_name(status.seed, self._mode_label, status.model)
        layers = ResultLayers(size, size, name, lines_id, on_paper, *images)
        text = "Done in %.1f s · %s · seed %d." % (time.monotonic() - begun, status.model, status.seed)
        return JobResult(layers, status, text, partial(self._acknowledge, info, status.id))

    def _follow(self, client: Client, status: JobStatus) -> JobStatus:
        """Report every change until the job has ended or is cancelled."""
        preview_number = 0
        while not status.state.terminal and not self.is_cancelled:
            preview: Optional[QtGui.QImage] = None
            if status.preview > preview_number:
                preview_number, preview = status.preview, QtGui.QImage.fromData(client.preview(status.id))
            self._report(Progress(describe_progress(status), status.progress, preview))
            status = client.status(status.id, after=status.revision, wait_s=WAIT_S)
        return status


def encode_parts(captured: CapturedLayers) -> "RequestParts[Part]":
    """The parts of the request as PNG.  Raises EMPTY_LINES, EMPTY_REFERENCE, REFERENCE_UNREADABLE, EMPTY_MASK,
    EMPTY_SELECTION, MASK_SIZE, EMPTY_HINTS, EMPTY_SELECTION_MASK.
    """
    lines = codec.encode_lines(captured.lines)
    references = tuple(
        codec.encode_reference(reference) if isinstance(reference, PixelData) else codec.encode_reference_file(reference)
        for reference in captured.references
    )
    masks = [_foreground_mask(mask) for mask in captured.masks]
    foreground = codec.encode_png(unite_masks(masks)) if masks else None
    hints = None if captured.hints is None else codec.encode_hints(captured.hints)
    if captured.selection is None or captured.previous is None:
        return RequestParts(lines, references, foreground, hints)
    selection = codec.encode_png(gray_mask(captured.selection, ErrorCode.EMPTY_SELECTION_MASK))
    previous = [codec.encode_png(codec.to_image(layer)) for layer in captured.previous]
    return RequestParts(lines, references, foreground, hints, selection, previous[0], previous[1])


def _foreground_mask(mask: CapturedMask) -> "QtGui.QImage":
    """A gray image; whatever is wrong with it names its layer."""
    try:
        if mask.choice is ForegroundChoice.SELECTION:
            return gray_mask(mask.pixels, ErrorCode.EMPTY_SELECTION)
        return alpha_mask(mask.pixels) if mask.choice is ForegroundChoice.ALPHA else painted_mask(mask.pixels)
    except LinewashError as error:
        detail = " ".join(text for text in (mask.name, error.detail) if text)
        raise LinewashError(error.code, detail) from error
