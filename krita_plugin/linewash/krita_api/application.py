"""Krita itself: open documents, settings, actions and the registration of the docker."""

from typing import Callable, Iterator, List, Optional, Tuple

from ..qt import QtGui
from .document import Document
from .libkis import DockWidget, DockWidgetFactory, DockWidgetFactoryBase, Krita, KritaDocument
from .pixel_data import SRGB, Converter

SETTINGS = "linewash"
_SCRATCH_SIDE = 64


class KritaApp:
    """Krita itself."""

    def __init__(self) -> None:
        self._known: List[Tuple[KritaDocument, Document]] = []
        self._scratch_template: Optional[KritaDocument] = None
        self._keys = 0

    def add_docker(self, name: str, create: Callable[[], DockWidget]) -> None:
        """Register a docker; Krita calls ``create`` once for each of its windows."""
        position = DockWidgetFactoryBase.DockPosition.DockRight
        Krita.instance().addDockWidgetFactory(DockWidgetFactory(name, position, create))

    def active(self) -> Optional[Document]:
        """The picture the painter looks at, None when no picture is open.  The same picture is always the same object."""
        document = Krita.instance().activeDocument()
        if document is None or document.rootNode() is None:
            return None
        # Krita's documents are compared with ==, never by identity, and cannot be keys of a dictionary.
        self._known = [(known, picture) for known, picture in self._known if picture.is_open]
        for known, picture in self._known:
            if known == document:
                return picture
        self._keys += 1
        picture = Document(self._keys, document, self)
        self._known.append((document, picture))
        return picture

    def trigger_action(self, action: str) -> None:
        """Do what the menu entry of that name does, in the active picture."""
        Krita.instance().action(action).trigger()

    def icon(self, name: str) -> "QtGui.QIcon":
        """A QIcon of Krita's own, in the colors of the painter's theme."""
        return Krita.instance().icon(name)

    def read_setting(self, name: str, default: str) -> str:
        """A value kept in kritarc."""
        return str(Krita.instance().readSetting(SETTINGS, name, default))

    def write_setting(self, name: str, value: str) -> None:
        """Keep a value in kritarc."""
        Krita.instance().writeSetting(SETTINGS, name, value)

    def create_scratch_document(self) -> KritaDocument:
        """A small document of its own, to be closed by the caller.

        Krita records converting a layer, or setting its blending mode, in the undo history of the document it was made in,
        even when it is nowhere yet.  So such things are done here and never in the painter's picture.
        """
        if self._scratch_template is None:
            for _ in self.prepare():
                pass
        assert self._scratch_template is not None
        return self._scratch_template.clone()

    def prepare(self) -> Iterator[int]:
        """Steps before the first ``scratch``, which would otherwise take all their time at once: a twentieth of a second."""
        if self._scratch_template is None:
            side = _SCRATCH_SIDE
            made = Krita.instance().createDocument(side, side, "Linewash", *SRGB, 72.0)
            made.topLevelNodes()[0].remove()
            self._scratch_template = made.clone()  # unlike the original, not listed among the open documents
            yield 0
            made.close()
            yield 0

    def converter(self) -> Converter:
        """Converts pixels from one color space to another; close it after use."""
        return Converter(self.create_scratch_document)

    def release(self) -> None:
        """Drop what is kept of Krita, before Krita ends."""
        self._known = []
        if self._scratch_template is not None:
            self._scratch_template.close()
            self._scratch_template = None
