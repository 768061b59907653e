"""A hint, and then a selection of the result colored anew in another variation, after the painter has gone over it."""

from pathlib import Path

from krita import Selection
from linewash_driver.docker_actions import arrange, close, color
from linewash_driver.documents import canvas, drawing, find, keep_layer, paint, results, snapshot


def select(document, box):
    """Select a box with a soft edge of two pixels."""
    left, top, width, height = box
    chosen = Selection()
    chosen.select(left - 2, top - 2, width + 4, height + 4, 100)
    chosen.select(left, top, width, height, 255)
    document.setSelection(chosen)


def nearest(document):
    """The result directly under the lines."""
    siblings = document.rootNode().childNodes()
    return siblings[next(i for i, node in enumerate(siblings) if node.name() == "Lines") - 1]


def keep(painter, document, name):
    """The bytes of the newest result's layers, in the document's own color space; and all of the document."""
    for layer in nearest(document).childNodes():
        Path(painter.file("%s_%s.raw" % (name, layer.name()))).write_bytes(bytes(layer.pixelData(*canvas(document))))
    painter.note(name, {"snapshot": snapshot(document), "says": painter.says(), "group": nearest(document).name()})


def said(painter):
    """Press Colorize and return the sentence."""
    before = painter.says()
    yield from painter.press("color")
    yield from painter.until(lambda: painter.says() not in ("", before), 60, "a sentence")
    return painter.says()


def go_over(document, path, at):
    """The painter goes over both layers of the result, and adds one of their own."""
    group, patch = nearest(document), paint(document, "patch", path)
    width, height = patch.bounds().width(), patch.bounds().height()
    for layer in group.childNodes():
        layer.setPixelData(patch.pixelData(0, 0, width, height), at[0], at[1], width, height)
    group.addChildNode(document.createNode("Shading", "paintlayer"), None)
    document.refreshProjection()


def play(painter, space):
    given = painter.parameters
    document = yield from drawing(given["size"], given["lines"], given["reference"], space)
    yield from painter.menu("referenceAdd", "Reference")
    yield 0.6
    document.rootNode().addChildNode(paint(document, "Spots", given["hints"]), None)
    document.refreshProjection()
    yield 0.8
    yield from painter.pick("hints", "Spots")
    yield from painter.pick("finish", "Flats")
    yield 0.6
    painter.note(space + "_lines", painter.widget("lines").currentText())
    yield from color(painter, document)
    yield from painter.shot(space + "_hinted")
    keep(painter, document, space + "_hinted")
    background = next(node for node in nearest(document).childNodes() if node.name() == "Background")
    keep_layer(background, document, painter.file(space + "_hinted_Background.bgra"))

    go_over(document, given["over"], given["at"])
    yield 0.6
    yield from painter.pick("hints", "None")
    yield from painter.pick("area", "Selection")
    painter.note(space + "_unselected", (yield from said(painter)))
    select(document, given["box"])
    document.setActiveNode(find(document, "Lines"))
    yield 0.8
    keep(painter, document, space + "_painted")

    painter.ticker.start()
    yield 0.3
    before = len(results(document))
    yield from painter.press("another")
    yield from painter.until(lambda: len(results(document)) > before, 300, "a result")
    yield from painter.until(lambda: painter.widget("color").isEnabled(), 60, "the docker to rest")
    yield 0.5
    painter.note(space + "_stall", painter.ticker.stop())
    yield from painter.shot(space + "_recolored")
    keep(painter, document, space + "_recolored")
    variation = painter.widget("variation")
    painter.note(space + "_variations", [variation.itemText(i) for i in range(variation.count())])
    yield from painter.act("edit_undo")
    painter.note(space + "_undone", snapshot(document))
    yield from close(document)


def run(painter):
    yield from arrange(painter)
    for space in painter.parameters["spaces"]:
        yield from play(painter, space)
