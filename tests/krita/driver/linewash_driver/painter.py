"""The painter's hand and eye: a real mouse, real keys, screenshots, and notes about what was seen."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from krita import Krita

from .qt import QAbstractButton, QApplication, QComboBox, QDockWidget, QMenu, QPoint, QRect, QTimer, QWidget
from .ticker import Ticker

Steps = Iterator[float]


class GaveUp(Exception):
    """Something the scenario waited for did not happen."""


class Painter:
    """Everything a scenario does goes through here; all that takes time is a generator (``yield from painter.click(...)``)."""

    def __init__(self, out: str, parameters: dict[str, Any], x_server: int) -> None:
        self.out = Path(out)
        self.parameters = parameters
        self.values: dict[str, Any] = {}
        self.ticker = Ticker(x_server)
        self.expects_dialog = False

    # -- notes ---------------------------------------------------------------------------------------------------------

    def note(self, key: str, value: Any) -> None:
        """Keep a JSON value for pytest; written at once as well, for a scenario that never ends by itself."""
        self.values[key] = value
        with (self.out / "notes.jsonl").open("a") as file:
            file.write(json.dumps([key, value], default=repr) + "\n")

    def file(self, name: str) -> str:
        """The path of a file for pytest."""
        return str(self.out / name)

    # -- waiting -------------------------------------------------------------------------------------------------------

    def until(self, condition: Callable[[], Any], seconds: float, what: str, step: float = 0.05) -> Steps:
        """Wait for ``condition()``; raises GaveUp, with what the docker says, after ``seconds``."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise GaveUp("waited %g s for %s; the docker says %r" % (seconds, what, self.says()))
            yield step

    def says(self) -> str:
        """The text of the docker's status line, '' without one."""
        dock = self.dock()
        status = dock.findChild(QWidget, "status") if dock is not None else None
        text = getattr(status, "text", None)
        return str(text()) if callable(text) else ""

    # -- finding -------------------------------------------------------------------------------------------------------

    def window(self) -> QWidget:
        """Krita's main window."""
        return Krita.instance().activeWindow().qwindow()

    def dock(self) -> QDockWidget | None:
        """The Linewash docker, None when Krita has none."""
        return self.window().findChild(QDockWidget, "linewash")

    def widget(self, name: str, kind: Any = QWidget) -> Any:
        """The docker's widget of that object name; raises GaveUp when there is none."""
        dock = self.dock()
        if dock is None:
            raise GaveUp("Krita has no docker called linewash")
        found = dock.findChild(kind, name)
        if found is None:
            raise GaveUp("the docker has no %s called %r" % (kind.__name__, name))
        return found

    # -- mouse and keys ------------------------------------------------------------------------------------------------

    def run(self, *command: str) -> Steps:
        """One program, waited for without blocking the window."""
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while process.poll() is None:
            if time.monotonic() > end:
                process.kill()
                raise GaveUp("%s does not end" % command[0])
            yield 0.01
        if process.returncode:
            raise GaveUp("%s ended with %d" % (" ".join(command), process.returncode))

    def point(self, place: QPoint, scale: float = 1.0) -> Steps:
        """Move the mouse to a place on the screen."""
        yield from self.run("xdotool", "mousemove", "--", str(int(place.x() * scale)), str(int(place.y() * scale)))

    def click(self, widget: QWidget, rect: QRect | None = None) -> Steps:
        """A true click of the left button in the middle of a widget, or of a part of it."""
        middle = (widget.rect() if rect is None else rect).center()
        yield from self.point(widget.mapToGlobal(middle), widget.devicePixelRatioF())
        yield 0.05
        yield from self.run("xdotool", "click", "1")
        yield 0.1

    def press(self, name: str) -> Steps:
        """Click the docker's button of that object name; raises GaveUp when a painter could not."""
        button = self.widget(name, QAbstractButton)
        if not (button.isVisible() and button.isEnabled()):
            raise GaveUp("%s cannot be clicked: visible %s, enabled %s" % (name, button.isVisible(), button.isEnabled()))
        yield from self.click(button)

    def pick(self, name: str, text: str) -> Steps:
        """Choose the first entry of the docker's drop-down list that contains ``text``, with the mouse."""
        box = self.widget(name, QComboBox)
        row = next((i for i in range(box.count()) if text in box.itemText(i)), -1)
        if row < 0:
            raise GaveUp("%s has no entry %r, only %s" % (name, text, entries(box)))
        yield from self.click(box)
        yield from self.until(lambda: box.view().isVisible(), 30, "the list of %s" % name)
        view = box.view()
        view.scrollTo(box.model().index(row, box.modelColumn()))
        yield 0.1
        yield from self.click(view.viewport(), view.visualRect(box.model().index(row, box.modelColumn())))
        yield from self.until(lambda: box.currentIndex() == row, 30, "%s to be %r" % (name, text))

    def menu(self, name: str, text: str) -> Steps:
        """Click the docker's button and then the entry that contains ``text`` of the menu it opens, submenus included."""
        yield from self.press(name)
        yield from self._entry(text)

    def context_menu(self, widget: QWidget, rect: QRect, text: str) -> Steps:
        """Right-click the middle of a part of a widget and choose the entry that contains ``text``."""
        yield from self.point(widget.mapToGlobal(rect.center()), widget.devicePixelRatioF())
        yield 0.05
        yield from self.run("xdotool", "click", "3")
        yield from self._entry(text)

    def _entry(self, text: str) -> Steps:
        yield from self.until(lambda: isinstance(QApplication.activePopupWidget(), QMenu), 30, "a menu")
        menu = QApplication.activePopupWidget()
        yield 0.15
        for action in menu.actions():
            if text in action.text().replace("&", ""):
                yield from self.click(menu, menu.actionGeometry(action))
                return
        for action in menu.actions():
            below = action.menu()
            if below is not None and any(text in each.text().replace("&", "") for each in below.actions()):
                yield from self.click(menu, menu.actionGeometry(action))
                yield from self.until(below.isVisible, 30, "the menu %r" % action.text())
                yield from self._entry(text)
                return
        raise GaveUp("no entry %r, only %s" % (text, [action.text() for action in menu.actions()]))

    def choose_file(self, name: str, text: str, path: str) -> Steps:
        """Open a file dialog by the docker's menu, type a path into it and press Return."""
        self.expects_dialog = True
        yield from self.menu(name, text)
        yield from self.until(lambda: QApplication.activeModalWidget() is not None, 30, "the file dialog")
        yield 0.5
        yield from self.run("xdotool", "type", "--delay", "5", path)
        yield from self.keys("Return")
        yield from self.until(lambda: QApplication.activeModalWidget() is None, 30, "the file dialog to close")
        self.expects_dialog = False

    def keys(self, *names: str) -> Steps:
        """Press keys, in xdotool's spelling (``ctrl+z``)."""
        yield from self.run("xdotool", "key", *names)
        yield 0.1

    def canvas(self) -> QWidget:
        """The widget that shows the document; raises GaveUp when none does."""
        for widget in self.window().findChildren(QWidget):
            if widget.metaObject().className() == "KisQPainterCanvas" and widget.isVisible():
                return widget
        raise GaveUp("no document is shown")

    def drag(self, *places: "tuple[float, float]") -> Steps:
        """Move the mouse over places of the canvas, each in parts of its widget."""
        canvas = self.canvas()
        for x, y in places:
            yield from self.point(canvas.mapToGlobal(QPoint(int(x * canvas.width()), int(y * canvas.height()))))
            yield 0.1

    def brush(self, start: "tuple[float, float]", *places: "tuple[float, float]") -> Steps:
        """Put a real brush on the canvas and draw it over places; ``lift`` ends the stroke."""
        yield from self.drag(start)
        yield from self.run("xdotool", "mousedown", "1")
        yield from self.drag(*places)

    def lift(self) -> Steps:
        """Lift the brush."""
        yield from self.run("xdotool", "mouseup", "1")
        yield 0.3

    def act(self, name: str, pause: float = 0.4) -> Steps:
        """Trigger one of Krita's own actions and give Krita time for it."""
        Krita.instance().action(name).trigger()
        yield pause

    def later(self, call: Callable[[], Any]) -> None:
        """Call something from Krita's event loop, for what does not return before a dialog is closed."""
        QTimer.singleShot(0, call)

    def shot(self, name: str) -> Steps:
        """A screenshot, for people to look at."""
        yield 0.2
        yield from self.run("import", "-silent", "-window", "root", self.file(name + ".png"))


def entries(box: QComboBox) -> list[str]:
    """The texts of a drop-down list."""
    return [box.itemText(i) for i in range(box.count())]
