"""Krita's first start after the installation: what a painter sees who has moved nothing yet."""

from PyQt5.QtWidgets import QDockWidget, QWidget

NAMES = ("lines", "reference", "referenceAdd", "foreground", "finish", "color", "cancel", "progress", "status")


def run(painter):
    yield 1.5
    painter.note("dockers", [dock.objectName() for dock in painter.window().findChildren(QDockWidget)])
    dock = painter.dock()
    painter.note("title", dock.windowTitle())
    painter.note("visible", dock.isVisible())
    painter.note("widgets", [name for name in NAMES if dock.findChild(QWidget, name) is not None])
    seen = [name for name in NAMES if not dock.findChild(QWidget, name).visibleRegion().isEmpty()]
    painter.note("seen", seen)
    painter.note("says", painter.says())
    yield from painter.shot("first_start")
