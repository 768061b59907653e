"""The only file that imports krita: it hands out open pictures, settings and the docker's base class as plain things."""

from typing import Any, Callable, Iterator, List, Optional, Tuple

import krita

from .document import Document
from .pixel_data import SRGB, Converter

DockWidget = krita.DockWidget
"""Base class of dockers; a subclass needs ``canvasChanged(canvas)``."""

SETTINGS = "linewash"
_SCRATCH_SIDE = 64


def qt_version() -> str:
    """Version of the Qt that Krita runs on, "5.15.8" for example."""
    return str(krita.qVersion())


class KritaApp:
    """Krita itself."""

    def __init__(self) -> None:
        self._known: List[Tuple[Any, Document]] = []
        self._scratch_template: Any = None
        self._keys = 0

    def add_docker(self, name: str, create: Callable[[], Any]) -> None:
        """Register a docker; Krita calls ``create`` once for each of its windows."""
        position = krita.DockWidgetFactoryBase.DockPosition.DockRight
        krita.Krita.instance().addDockWidgetFactory(krita.DockWidgetFactory(name, position, create))

    def active(self) -> Optional[Document]:
        """The picture the painter looks at, None when no picture is open.  The same picture is always the same object."""
        document = krita.Krita.instance().activeDocument()
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
        krita.Krita.instance().action(action).trigger()

    def icon(self, name: str) -> Any:
        """A QIcon of Krita's own, in the colors of the painter's theme."""
        return krita.Krita.instance().icon(name)

    def read_setting(self, name: str, default: str) -> str:
        """A value kept in kritarc."""
        return str(krita.Krita.instance().readSetting(SETTINGS, name, default))

    def write_setting(self, name: str, value: str) -> None:
        """Keep a value in kritarc."""
        krita.Krita.instance().writeSetting(SETTINGS, name, value)

    def create_scratch_document(self) -> Any:
        """A small document of its own, to be closed by the caller.

        Krita records converting a layer, or setting its blending mode, in the undo history of the document it was made in,
        even when it is nowhere yet.  So such things are done here and never in the painter's picture.
        """
        for _ in self.prepare():
            pass
        return self._scratch_template.clone()

    def prepare(self) -> Iterator[int]:
        """Steps before the first ``scratch``, which would otherwise take all their time at once: a twentieth of a second."""
        if self._scratch_template is None:
            side = _SCRATCH_SIDE
            made = krita.Krita.instance().createDocument(side, side, "Linewash", *SRGB, 72.0)
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
