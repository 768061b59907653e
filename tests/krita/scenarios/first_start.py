"""Krita's first start after the installation, and the first document: what a painter sees who has moved nothing yet."""

from linewash_driver.documents import new
from linewash_driver.qt import QDockWidget, QWidget

NAMES = ("lines", "reference", "referenceAdd", "foreground", "finish", "color", "cancel", "progress", "status")


def run(painter):
    yield 1.5
    painter.note("dockers", [dock.objectName() for dock in painter.window().findChildren(QDockWidget)])
    dock = painter.dock()
    painter.note("title", dock.windowTitle())
    painter.note("says", painter.says())
    yield from painter.shot("first_start")
    document = new((333, 257))
    yield 2.0
    painter.note("visible", dock.isVisible())
    painter.note("widgets", [name for name in NAMES if dock.findChild(QWidget, name) is not None])
    seen = [name for name in NAMES if not dock.findChild(QWidget, name).visibleRegion().isEmpty()]
    painter.note("seen", seen)
    yield from painter.shot("first_document")
    document.setModified(False)
    document.close()
    yield 0.5
