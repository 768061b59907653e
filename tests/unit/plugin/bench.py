"""A docker with its controller, a stand-in for the backend, and the painter's hand."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QMimeData, QPointF, Qt, QUrl
from PyQt6.QtGui import QDropEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QWidget

from tests.unit.plugin.backend import Backend


class Bench:
    """Everything a painter has in front of them."""

    def __init__(self, plugin: Any, krita: Any) -> None:
        self.plugin, self.krita = plugin, krita
        self.backend = Backend(plugin)
        self.app = plugin.krita_api.application.KritaApp()
        self.controller = plugin.controller.Controller(self.app, self.backend, self.backend.client)
        self.docker = plugin.docker.LinewashDocker(self.controller)
        self.docker.resize(262, 400)
        self.docker.show()

    def widget(self, name: str) -> Any:
        widget = self.docker.findChild(QWidget, name)
        assert widget is not None, name
        return widget

    def says(self) -> str:
        return str(self.widget("status").text())

    def click(self, name: str) -> None:
        QTest.mouseClick(self.widget(name), Qt.MouseButton.LeftButton)

    def until(self, condition: Callable[[], Any], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "waited too long; the docker says %r" % (self.docker and self.says())
            QTest.qWait(5)

    def idle(self) -> bool:
        return bool(self.widget("color").isEnabled())

    def pick(self, name: str, text: str) -> None:
        box = self.widget(name)
        box.setCurrentIndex([box.itemText(i) for i in range(box.count())].index(text))

    def drop(self, path: Path) -> None:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        self.drop_data(data)

    def drop_data(self, data: QMimeData) -> None:
        buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        event = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys)
        self.widget("reference").dropEvent(event)

    def add_layer(self, name: str) -> None:
        self.click("referenceAdd")
        menu = self.docker._panel.reference_menu
        next(action for action in menu.actions() if action.text() == name).trigger()
        menu.close()

    def close(self) -> None:
        """Close the window with the docker, as Krita does."""
        if self.docker is not None:
            self.docker.deleteLater()
            self.docker = None
            QTest.qWait(5)
