"""A painter who has put published checkpoints into the models folder colors with each, by each of its methods."""

from linewash_driver.docker_actions import arrange, close, color
from linewash_driver.documents import drawing, keep_layer, snapshot
from linewash_driver.model_form import open_model_list, scroll_to_top, write
from linewash_driver.painter import entries
from linewash_driver.qt import QScrollArea, Qt


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
        yield from scroll_to_top(painter)
        yield from painter.pick("model", name)
        yield from painter.until(lambda: painter.widget("set_size").isVisible(), 10, "parameters")
        yield from painter.until(lambda wanted=several: painter.widget("mode").isVisible() == wanted, 10, "methods")
        methods = entries(painter.widget("mode")) if several else [""]
        painter.note(name + " methods", methods)
        for method in methods:
            yield from scroll_to_top(painter)
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
