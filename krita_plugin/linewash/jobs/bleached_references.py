"""Background references as a model sees them that whitens their foreground, which the backend does."""

import logging
import time
from functools import partial
from pathlib import Path
from typing import Any, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..event_loop import EventLoop, in_thread
from ..images.codec import encode_reference, encode_reference_file
from ..images.thumbnails import png_thumbnail
from ..krita_api.application import KritaApp
from ..krita_api.document import Document
from ..qt import QtCore, QtGui, Signal
from ..shared.errors import ErrorCode, LinewashError
from ..shared.paths import ServerInfo
from ..state.choices import Reference
from ..transfer.layer_capture import capture_reference
from ..transfer.layer_digest import digest_reference, file_stamp, weights_stamps
from .backend_connection import BackendConnection
from .colorize_job import WAIT_S

RENEW_S = 2.0
"""How often it is looked whether a reference has changed: Krita does not say when somebody paints on a layer."""
RETRY_S = 5.0
"""How long it takes until a backend that did not run, or had no time, is asked again."""
MOST_IMAGES = 64
"""How many images are kept."""
NOT_NOW = frozenset({ErrorCode.JOB_NOT_DONE, ErrorCode.BACKEND_GONE, ErrorCode.BACKEND_START, ErrorCode.INTERRUPTED})
"""Errors that say nothing about the reference."""
_log = logging.getLogger(__name__)


class _Key(NamedTuple):
    session_id: int
    source: Tuple[str, str]
    threshold: float


class _Answer(NamedTuple):
    content: Any
    """Of the reference and of the models folder, as ``_read_content`` found it."""
    image: "Optional[QtGui.QImage]"
    """None when this reference cannot be bleached."""


class BleachedReferences(QtCore.QObject):
    """``changed`` is emitted when there is another image."""

    changed = Signal()

    def __init__(self, app: KritaApp, loop: EventLoop, connection: BackendConnection, parent: "QtCore.QObject") -> None:
        super().__init__(parent)
        self._app, self._loop, self._connection = app, loop, connection
        self._answers: Dict[_Key, _Answer] = {}
        self._due: Dict[_Key, float] = {}
        self._packed: Tuple[Any, bytes] = (None, b"")
        """The last reference that was packed: what it was, and its PNG."""
        self._is_asking = False

    def images(
        self, document: Document, references: Sequence[Reference], threshold: float
    ) -> "Mapping[Tuple[str, str], QtGui.QImage]":
        """What there is by now, by the sources of the references; those that may have changed are looked at, one at a time."""
        images: "Dict[Tuple[str, str], QtGui.QImage]" = {}
        for reference in references:
            key = _Key(document.session_id, reference.source, threshold)
            answer = self._answers.get(key)
            if answer is not None and answer.image is not None:
                images[reference.source] = answer.image
            if not self._is_asking and time.monotonic() >= self._due.get(key, 0.0) and document.is_idle:
                self._is_asking = True
                self._loop.start(self._renew(document, reference, key))
        return images

    async def _renew(self, document: Document, reference: Reference, key: _Key) -> None:
        before, content = self._answers.get(key), None
        self._due[key] = time.monotonic() + RENEW_S
        try:
            if before is not None and before.content == await self._read_content(document, reference):
                return
            # Asked before the layer is captured, which is much work in the window's own thread.
            backend = await in_thread(self._find_backend)
            if backend is None:
                self._ask_later(key)
                return
            content = await self._read_content(document, reference)
            png = await self._pack(document, reference, content)
            image = await in_thread(lambda: self._bleach(backend, png, key.threshold))
            self._keep(key, _Answer(content, image))
        except LinewashError as error:  # what is wrong with a reference is said when it is used
            _log.info("a reference cannot be bleached: %s", error)
            if error.code in NOT_NOW:
                self._ask_later(key)
            else:
                self._keep(key, _Answer(content, None))
        finally:
            self._is_asking = False

    async def _read_content(self, document: Document, reference: Reference) -> Any:
        """What changes when the reference changes, or weights come or go that find its foreground."""
        weights = await in_thread(lambda: weights_stamps(self._connection.models_folder()))
        if not reference.layer_id:
            return weights, await in_thread(partial(file_stamp, Path(reference.path)))
        return weights, await digest_reference(document, reference.layer_id)

    async def _pack(self, document: Document, reference: Reference, content: Any) -> bytes:
        label = (document.session_id, reference.source, content)
        if self._packed[0] != label:
            if reference.layer_id:
                encode = partial(encode_reference, await capture_reference(self._app, document, reference.layer_id))
            else:
                encode = partial(encode_reference_file, Path(reference.path))
            self._packed = label, await in_thread(encode)
        return self._packed[1]

    def _find_backend(self) -> Optional[ServerInfo]:
        """In a thread: how to reach the backend; None when none runs that can be talked to."""
        try:
            return self._connection.find()
        except LinewashError as error:  # which is said when the painter wants to color
            _log.info("no backend bleaches: %s", error)
            return None

    def _bleach(self, backend: ServerInfo, png: bytes, threshold: float) -> "QtGui.QImage":
        """In a thread: the thumbnail."""
        with self._connection.create_client(backend) as client:
            return png_thumbnail(client.bleach(png, threshold, WAIT_S))

    def _ask_later(self, key: _Key) -> None:
        """Without a backend; what was found before is not true any more."""
        self._due[key] = time.monotonic() + RETRY_S
        if self._answers.pop(key, None) is not None:
            self.changed.emit()

    def _keep(self, key: _Key, answer: _Answer) -> None:
        if len(self._answers) >= MOST_IMAGES:
            self._answers.clear()
            self._due = {key: self._due[key]}
        self._answers[key] = answer
        self.changed.emit()
