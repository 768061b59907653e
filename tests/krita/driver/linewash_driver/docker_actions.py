"""What a painter does with the docker again and again."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from krita import Krita

from .documents import results
from .painter import Painter
from .qt import Qt, QWidget

Steps = Iterator[float]
IN_THE_WAY = ("PresetDocker", "sharedtooldocker", "quick_settings_docker")


def arrange(painter: Painter) -> Steps:
    """Krita over the whole screen, the docker on top and with room."""
    window = painter.window()
    window.setGeometry(0, 0, 1600, 1000)
    for dock in window.children():
        if dock.objectName() in IN_THE_WAY and isinstance(dock, QWidget):
            dock.hide()
    dock = painter.dock()
    if dock is not None:
        dock.show()
        dock.raise_()
        yield 0.3
        window.resizeDocks([dock], [420], Qt.Orientation.Vertical)
        window.resizeDocks([dock], [330], Qt.Orientation.Horizontal)
    yield 0.4


def rest(painter: Painter) -> bool:
    """Whether the docker offers to color: no job runs."""
    return bool(painter.widget("color").isEnabled())


def color(painter: Painter, document: Any, seconds: float = 300.0) -> Steps:
    """Click Colorize and wait until one more group is in the document and the docker rests; returns the group."""
    before = len(results(document))
    painter.ticker.label = "press"
    yield from painter.press("color")
    painter.ticker.label = "wait"
    yield from painter.until(lambda: len(results(document)) > before, seconds, "a result")
    painter.ticker.label = "after"
    yield from painter.until(lambda: rest(painter), 60, "the docker to rest")
    yield 0.3
    return results(document)[-1]


def refused(painter: Painter, seconds: float = 120.0) -> Steps:
    """Click Colorize where a painter can, wait until the docker rests again, return what it says.

    A sentence counts once it stays: what the docker says on its way, or still has to say about what was done before the
    click, is no answer.
    """
    yield from painter.until(Quiet(painter.says, 1.0), 30, "the docker to have said all")
    before = painter.says()
    if rest(painter):
        yield from painter.click(painter.widget("color"))
    answer = Quiet(lambda: rest(painter) and painter.says(), 0.5)
    yield from painter.until(lambda: answer() and painter.says() not in ("", before), seconds, "a sentence")
    return painter.says()


class Quiet:
    """A condition: whether ``value()`` is no longer False and has not changed for some seconds."""

    def __init__(self, value: Callable[[], Any], seconds: float) -> None:
        self._value, self._seconds = value, seconds
        self._last: Any = None
        self._since = time.monotonic()

    def __call__(self) -> bool:
        now = self._value()
        if now is False or now != self._last:
            self._last, self._since = now, time.monotonic()
        return time.monotonic() - self._since >= self._seconds


def close(document: Any) -> Steps:
    """Close a document without a question."""
    document.setModified(False)
    document.close()
    yield 0.3


def documents() -> "list[Any]":
    """All open documents."""
    return list(Krita.instance().documents())
