"""Krita's first start in a fresh profile: which dockers and plugins are there."""

from PyQt5.QtWidgets import QDockWidget


def run(painter):
    yield 0.5
    painter.note("dockers", [dock.objectName() for dock in painter.window().findChildren(QDockWidget)])
