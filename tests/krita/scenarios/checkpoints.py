"""A painter who has put published checkpoints into the models folder colors with each, by each of its methods."""

from linewash_driver.docker_actions import arrange, close, color
from linewash_driver.documents import drawing, keep_layer, snapshot
from linewash_driver.painter import entries
from linewash_driver.qt import QScrollArea, Qt


def write(painter, name, text):
    """Put a number or words into a field of the form."""
    field = painter.widget(name)
    painter.dock().findChild(QScrollArea).ensureWidgetVisible(field)
    yield 0.2
    yield from painter.click(field)
    yield from painter.keys("ctrl+a")
    yield from painter.run("xdotool", "type", "--delay", "5", text)
    yield from painter.keys("Return")
    yield 0.2


def top(painter):
    """Scroll the docker's choices back to their beginning."""
    painter.dock().findChild(QScrollArea).verticalScrollBar().setValue(0)
    yield 0.2


def open_model_list(painter):
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


def narrow(painter):
    """Unfold everything in a column as small as they come."""
    dock = painter.dock()
    painter.window().resizeDocks([dock], [100], Qt.Orientation.Horizontal)
    yield 0.4
    yield from painter.press("moreParameters")
    yield 0.4
    area = dock.findChild(QScrollArea)
    painter.note("narrow", [dock.width(), area.widget().width(), area.viewport().width()])
    yield from painter.shot("narrow")


def run(painter):
    given = painter.parameters
    yield from arrange(painter)
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    yield from painter.menu("referenceAdd", "Reference")
    painter.note("alone", entries(painter.widget("model")))
    yield from open_model_list(painter)
    before = snapshot(document)
    for name, several in given["models"].items():
        yield from top(painter)
        yield from painter.pick("model", name)
        yield from painter.until(lambda: painter.widget("set_size").isVisible(), 10, "parameters")
        yield from painter.until(lambda wanted=several: painter.widget("mode").isVisible() == wanted, 10, "methods")
        methods = entries(painter.widget("mode")) if several else [""]
        painter.note(name + " methods", methods)
        for method in methods:
            yield from top(painter)
            if several:
                yield from painter.pick("mode", method)
            yield from write(painter, "set_steps", "2")
            yield from write(painter, "set_size", "256")
            yield from painter.shot("%s_%s_chosen" % (name, method))
            group = yield from color(painter, document)
            painter.note("%s %s" % (name, method), {"says": painter.says(), "group": group.name()})
            for layer in group.childNodes():
                keep_layer(layer, document, painter.file("%s_%s_%s.bgra" % (name, method, layer.name())))
            yield from painter.shot("%s_%s" % (name, method))
    painter.note("before", before)
    painter.note("after", snapshot(document))
    yield from narrow(painter)
    yield from close(document)
