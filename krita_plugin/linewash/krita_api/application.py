"""Krita itself: open documents, settings, actions and the registration of the docker."""

from typing import Callable, List, Optional, Tuple

from ..event_loop import pause
from ..libkis import DockWidget, DockWidgetFactory, DockWidgetFactoryBase, Krita, KritaDocument
from ..qt import QtGui
from ..shared.errors import ErrorCode, LinewashError
from .color_space import SRGB
from .document import Document
from .event_calls import EventCalls
from .pixel_data import Converter

SETTINGS = "linewash"
"""The plugin's group of settings in kritarc."""
_SCRATCH_SIDE = 64


class KritaApp:
    """Everything that the plugin asks of Krita as a whole."""

    def __init__(self) -> None:
        self.event_calls = EventCalls()
        """Makes the calls inside which Krita handles events; all documents and converters make them through this object."""
        self._documents: List[Tuple[KritaDocument, Document]] = []
        self._scratch_template: Optional[KritaDocument] = None
        self._last_id = 0

    def add_docker(self, name: str, create: Callable[[], DockWidget]) -> None:
        """Register a docker; Krita calls ``create`` once for each of its windows."""
        position = DockWidgetFactoryBase.DockPosition.DockRight
        Krita.instance().addDockWidgetFactory(DockWidgetFactory(name, position, create))

    def active_document(self) -> Optional[Document]:
        """The document the painter looks at, None when none is open.  The same document is always the same object."""
        active = Krita.instance().activeDocument()
        if active is None or active.rootNode() is None:
            return None
        # Krita's documents are compared with ==, never by identity, and cannot be keys of a dictionary.
        self._documents = [(handle, document) for handle, document in self._documents if document.is_open]
        for handle, document in self._documents:
            if handle == active:
                return document
        self._last_id += 1
        document = Document(self._last_id, active, self.event_calls)
        self._documents.append((active, document))
        return document

    def is_active(self, document: Document) -> bool:
        """Whether the painter looks at this document."""
        return self.active_document() is document

    def trigger_action(self, action: str) -> None:
        """Do what the menu entry of that name does, in the active document.  Handles events, see ``event_calls.py``."""
        self.event_calls.trigger_action(action)

    def icon(self, name: str) -> "QtGui.QIcon":
        """An icon of Krita's own, in the colors of the painter's theme."""
        return Krita.instance().icon(name)

    def read_setting(self, name: str, default: str) -> str:
        """A value kept in kritarc."""
        return str(Krita.instance().readSetting(SETTINGS, name, default))

    def write_setting(self, name: str, value: str) -> None:
        """Keep a value in kritarc."""
        Krita.instance().writeSetting(SETTINGS, name, value)

    async def prepare_scratch(self) -> None:
        """Create the template of scratch documents in two steps; at once, it would take 50 ms."""
        if self._scratch_template is None:
            original = self._create_template()
            try:
                await pause()
            finally:  # also when the task is cancelled here
                self.event_calls.close_document(original)
            await pause()

    def create_scratch_document(self) -> KritaDocument:
        """A small document of its own, to be closed by the caller.

        Krita records converting a layer, or setting its blending mode, in the undo history of the document it was made in,
        even when it lies in no document yet.  So such things are done here and never in the painter's document.
        """
        if self._scratch_template is None:
            self.event_calls.close_document(self._create_template())
        if self._scratch_template is None:
            raise LinewashError(ErrorCode.INTERNAL, "Krita ends")
        return self._scratch_template.clone()

    def create_converter(self) -> Converter:
        """A converter between color spaces; close it after use."""
        return Converter(self.create_scratch_document, self.event_calls)

    def release(self) -> None:
        """Let go of all of Krita's objects, before Krita ends."""
        self._documents = []
        template, self._scratch_template = self._scratch_template, None
        if template is not None:
            self.event_calls.close_document(template)

    def _create_template(self) -> KritaDocument:
        """Create the template as the clone of an empty document, which unlike it is not listed among the open ones.

        Returns the original, still to be closed.
        """
        original = self.event_calls.create_document(_SCRATCH_SIDE, _SCRATCH_SIDE, "Linewash", SRGB)
        for node in original.topLevelNodes():
            self.event_calls.remove_layer(node)
        if self._scratch_template is None:  # else another task created it, while Krita handled events
            self._scratch_template = original.clone()
        return original
