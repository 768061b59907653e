"""Two mask layers, one for each figure, and what the model finds: all together are the foreground."""

from krita import Krita
from linewash_driver.docker_actions import arrange, close, color
from linewash_driver.documents import drawing, find, keep_layer, paint, snapshot
from linewash_driver.qt import Qt


def keep(painter, document, name, before):
    """What came of a run, and whether the document stayed as it was."""
    group = yield from color(painter, document)
    for layer in group.childNodes():
        keep_layer(layer, document, painter.file("%s_%s.bgra" % (name, layer.name())))
    yield from painter.shot(name + "_colored")
    painter.note(name, {"before": before, "after": snapshot(document), "says": painter.says()})


def shown(painter):
    """The image of the masks, once it is there."""
    label = painter.widget("foregroundImage")
    yield from painter.until(lambda: label.isVisible() and label.pixmap() is not None, 60, "the image of the masks")
    yield 0.5
    return label.pixmap().toImage().copy()


def add_mask(painter, number, name):
    """Press + and choose a layer."""
    yield from painter.press("foregroundAdd")
    yield from painter.until(lambda: painter.widget("mask%d" % number).isVisible(), 30, "another row")
    yield 0.3
    yield from painter.pick("mask%d" % number, name)


def play(painter, space, given):
    document = yield from drawing(given["size"], given["lines"], given["reference"], space)
    for name, path in given["masks"].items():
        layer = paint(document, name, path)
        layer.setVisible(False)
        document.rootNode().addChildNode(layer, find(document, "Background"))
    yield 0.6
    document.setActiveNode(find(document, "Lines"))
    yield 0.4
    yield from painter.menu("referenceAdd", "Reference")
    first, second = given["masks"]
    before = snapshot(document)
    painter.ticker.start()
    yield from painter.pick("foreground", "Mask layer")
    yield 0.5
    yield from painter.pick("foregroundLayer", first)
    yield from add_mask(painter, 2, second)
    image = yield from shown(painter)
    image.save(painter.file(space + "_image.png"))
    yield 5.0  # it is made anew every two seconds
    painter.note(space + "_stall", painter.ticker.stop())
    yield from painter.shot(space + "_masks")
    yield from keep(painter, document, space + "_masks", before)

    painter.dock().grab().save(painter.file(space + "_docker.png"))
    yield from painter.pick("foreground", "Automatic")
    yield from add_mask(painter, 3, first)
    yield from shown(painter)
    painter.dock().grab().save(painter.file(space + "_docker_automatic.png"))
    before = snapshot(document)
    yield from keep(painter, document, space + "_found", before)

    # The image follows the painter, who goes over one of the masks with black.
    before = yield from shown(painter)
    layer = find(document, second)
    layer.setPixelData(bytes(layer.pixelData(0, 0, 1, 1)) * (given["size"][0] * given["size"][1]), 0, 0, *given["size"])
    label = painter.widget("foregroundImage")
    yield from painter.until(lambda: label.pixmap().toImage() != before, 30, "the image to follow")
    yield from painter.press("removeMask3")
    yield from painter.press("removeMask2")
    yield from painter.until(lambda: not label.isVisible(), 30, "the image to go")
    yield from painter.shot(space + "_one")
    yield from close(document)


def run(painter):
    yield from arrange(painter)
    painter.window().resizeDocks([painter.dock()], [760], Qt.Orientation.Vertical)
    yield 0.4
    for space, given in painter.parameters["drawings"].items():
        yield from play(painter, space, given)
    assert Krita.instance().documents() == []
