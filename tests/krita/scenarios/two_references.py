"""A painter colors with two references, one for the figure and one for the background, and then with another background."""

from linewash_driver.docker_actions import arrange, close, color
from linewash_driver.documents import drawing, find, keep_layer, paint, snapshot
from linewash_driver.model_form import open_model_list, scroll_to_top, write
from linewash_driver.qt import QScrollArea


def add_background(painter, name):
    """Take a layer as reference and mark it for the background, by its context menu."""
    yield from scroll_to_top(painter)
    yield from painter.menu("referenceAdd", name)
    shown = painter.widget("reference")
    yield from painter.until(lambda: shown.count() == 2, 30, "two references")
    yield 0.5
    yield from painter.context_menu(shown.viewport(), shown.visualItemRect(shown.item(1)), "Use for the background")
    yield 0.3


def keep(painter, document, name):
    """Color, and keep what came of it."""
    group = yield from color(painter, document)
    painter.note(name, {"says": painter.says(), "group": group.name()})
    for layer in group.childNodes():
        keep_layer(layer, document, painter.file("%s_%s.bgra" % (name, layer.name())))
    yield from painter.shot(name)


def choose_mode(painter, title):
    """Choose a mode, and as little work as will do."""
    yield from scroll_to_top(painter)
    yield from painter.pick("mode", title)
    yield from write(painter, "set_steps", str(painter.parameters["steps"]))
    yield from write(painter, "set_size", "256")


def copy_background(painter, on):
    """Tick or clear Copy background, under More."""
    box = painter.widget("set_copy_background")
    if not box.isVisible():
        yield from painter.press("moreParameters")
        yield 0.5
    painter.dock().findChild(QScrollArea).ensureWidgetVisible(box)
    yield 0.3
    if box.isChecked() != on:
        yield from painter.click(box)
        yield 0.3


def run(painter):
    given = painter.parameters
    yield from arrange(painter)
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    for name, path in given["backgrounds"].items():
        layer = paint(document, name, path)
        layer.setVisible(False)
        document.rootNode().addChildNode(layer, find(document, "Background"))
    yield 0.6  # Krita makes the new layers active only now
    document.setActiveNode(find(document, "Lines"))
    yield 0.4
    yield from painter.menu("referenceAdd", "Reference")
    first, second = given["backgrounds"]
    yield from add_background(painter, first)
    yield from open_model_list(painter)
    yield from painter.pick("model", given["model"])
    yield from painter.until(lambda: painter.widget("set_size").isVisible(), 10, "parameters")
    before = snapshot(document)
    for title in given["modes"]:
        yield from choose_mode(painter, title)
        yield from keep(painter, document, "%s %s" % (title, first))
    yield from choose_mode(painter, "Background")
    yield from copy_background(painter, True)
    yield from painter.shot("more")
    yield from keep(painter, document, "Copied %s" % first)
    yield from copy_background(painter, False)
    shown = painter.widget("reference")
    yield from scroll_to_top(painter)
    yield from painter.context_menu(shown.viewport(), shown.visualItemRect(shown.item(1)), "Remove")
    yield from painter.until(lambda: shown.count() == 1, 30, "one reference")
    yield from add_background(painter, second)
    yield from keep(painter, document, "Background %s" % second)
    painter.note("before", before)
    painter.note("after", snapshot(document))
    yield from close(document)
