"""What a painter does with the model's own part of the docker: its list, its modes, its parameters."""

from collections.abc import Iterator

from .painter import Painter, entries
from .qt import QScrollArea, Qt

Steps = Iterator[float]


def write(painter: Painter, name: str, text: str) -> Steps:
    """Put a number or words into a field of the form."""
    field = painter.widget(name)
    painter.dock().findChild(QScrollArea).ensureWidgetVisible(field)
    yield 0.2
    yield from painter.click(field)
    yield from painter.keys("ctrl+a")
    yield from painter.run("xdotool", "type", "--delay", "5", text)
    yield from painter.keys("Return")
    yield 0.2


def scroll_to_top(painter: Painter) -> Steps:
    """Scroll the docker's choices back to their beginning."""
    painter.dock().findChild(QScrollArea).verticalScrollBar().setValue(0)
    yield 0.2


def open_model_list(painter: Painter) -> Steps:
    """Open the list of models, and wait until it is filled."""
    box = painter.widget("model")
    yield from painter.click(box)
    yield from painter.until(lambda: box.count() > 1 and "Looking" not in "".join(entries(box)), 120, "a list of models")
    yield from painter.shot("models")
    model = box.model()
    shown = [model.item(row) for row in range(box.count())]
    tip = Qt.ItemDataRole.ToolTipRole
    painter.note("models", [[item.text(), item.isEnabled(), str(item.data(tip) or "")] for item in shown])
    yield from painter.keys("Escape")
    yield 0.3
