"""Background references as a model sees them that whitens their foreground, which the backend does."""

import logging
import time
from functools import partial
from pathlib import Path
from typing import Dict, Mapping, Optional, Sequence, Tuple

from ..event_loop import EventLoop, in_thread
from ..images.codec import encode_reference, encode_reference_file
from ..images.thumbnails import png_thumbnail
from ..krita_api.application import KritaApp
from ..krita_api.document import Document
from ..qt import QtCore, QtGui, Signal
from ..shared.errors import LinewashError
from ..state.choices import Reference
from ..transfer.layer_capture import capture_reference
from .backend_connection import BackendConnection
from .colorize_job import WAIT_S

RETRY_S = 5.0
"""How long after a failure it is tried again: the backend may not run yet, or color something."""
MOST_IMAGES = 64
"""How many images are kept."""
Key = Tuple[int, Tuple[str, str], float]
"""Session of the document, source of the reference, threshold."""
_log = logging.getLogger(__name__)


class BleachedReferences(QtCore.QObject):
    """``changed`` is emitted when there is another image."""

    changed = Signal()

    def __init__(self, app: KritaApp, loop: EventLoop, connection: BackendConnection, parent: "QtCore.QObject") -> None:
        super().__init__(parent)
        self._app, self._loop, self._connection = app, loop, connection
        self._images: Dict[Key, QtGui.QImage] = {}
        self._not_before = 0.0
        self._is_asking = False

    def images(
        self, document: Document, references: Sequence[Reference], threshold: float
    ) -> "Mapping[Tuple[str, str], QtGui.QImage]":
        """What there is by now, by the sources of the references; of what is missing, the next one is asked for."""
        keys = {reference.source: (document.session_id, reference.source, threshold) for reference in references}
        missing = [reference for reference in references if keys[reference.source] not in self._images]
        if missing and not self._is_asking and time.monotonic() >= self._not_before:
            self._is_asking = True
            self._loop.start(self._make(document, missing[0], keys[missing[0].source]))
        return {source: self._images[key] for source, key in keys.items() if key in self._images}

    async def _make(self, document: Document, reference: Reference, key: Key) -> None:
        self._not_before = time.monotonic() + RETRY_S
        try:
            if reference.layer_id:
                encode = partial(encode_reference, await capture_reference(self._app, document, reference.layer_id))
            else:
                encode = partial(encode_reference_file, Path(reference.path))
            image = await in_thread(lambda: self._bleach(encode(), key[-1]))
        except LinewashError as error:  # what is wrong with a reference is said when it is used
            _log.info("a reference cannot be bleached: %s", error)
            image = None
        finally:
            self._is_asking = False
        if image is None:
            return
        self._not_before = 0.0
        if len(self._images) >= MOST_IMAGES:
            self._images.clear()
        self._images[key] = image
        self.changed.emit()

    def _bleach(self, png: bytes, threshold: float) -> "Optional[QtGui.QImage]":
        """In a thread: the thumbnail; None when no backend runs."""
        info = self._connection.find()
        if info is None:
            return None
        with self._connection.create_client(info) as client:
            return png_thumbnail(client.bleach(png, threshold, WAIT_S))
