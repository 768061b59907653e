"""Where the foreground mask comes from: a selection, a painted mask layer, a layer's alpha, or the model's own guess."""

from krita import Selection
from linewash_driver.docker_actions import arrange, close, color
from linewash_driver.documents import drawing, find, keep_layer, load, paint, snapshot


def automatic(painter, document):
    """Nothing is said."""
    yield from painter.pick("foreground", "Automatic")


def selection(painter, document):
    """The painter has selected the character."""
    mask = load(painter.parameters["mask"])
    width, height = mask.width(), mask.height()
    chosen = Selection()
    chosen.select(0, 0, width, height, 255)
    chosen.setPixelData(bytes(mask.pixel(x, y) & 255 for y in range(height) for x in range(width)), 0, 0, width, height)
    document.setSelection(chosen)
    yield 0.4
    yield from painter.pick("foreground", "Selection")


def layered(painter, document, kind, name, path):
    """Add a hidden layer and choose it."""
    layer = paint(document, name, path)
    layer.setVisible(False)
    document.rootNode().addChildNode(layer, find(document, "Background"))
    yield 0.5
    document.setActiveNode(find(document, "Lines"))
    yield 0.5
    yield from painter.pick("foreground", kind)
    yield 0.5
    yield from painter.pick("foregroundLayer", name)


def mask(painter, document):
    """White character on black, painted on a layer of its own."""
    yield from layered(painter, document, "Mask layer", "Foreground mask", painter.parameters["mask"])


def alpha(painter, document):
    """The character as a silhouette on a layer."""
    yield from layered(painter, document, "Layer alpha", "Silhouette", painter.parameters["cutout"])


def run(painter):
    given = painter.parameters
    yield from arrange(painter)
    for kind in (automatic, selection, mask, alpha):
        document = yield from drawing(given["size"], given["lines"], given["reference"])
        yield from painter.menu("referenceAdd", "Reference")
        yield from kind(painter, document)
        before = snapshot(document)
        group = yield from color(painter, document)
        yield from painter.shot(kind.__name__)
        for layer in group.childNodes():
            keep_layer(layer, document, painter.file("%s_%s.bgra" % (kind.__name__, layer.name())))
        painter.note(kind.__name__, {"before": before, "after": snapshot(document), "says": painter.says()})
        yield from close(document)
