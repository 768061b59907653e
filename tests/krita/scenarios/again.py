"""Colorize pressed a second time: under transparent lines, over a scan, and with the earlier result's layer active."""

from linewash_driver.docker_actions import arrange, close, color
from linewash_driver.documents import drawing, find, keep_view, load, new, paint, raw, snapshot


def transparent(painter):
    """The usual document."""
    given = painter.parameters
    return (yield from drawing(given["size"], given["lines"], given["reference"]))


def scan(painter):
    """Black on white, with a hidden reference above."""
    given = painter.parameters
    document = new(given["size"])
    yield 0.5
    image = load(given["scan"])
    find(document, "Background").setPixelData(raw(image), 0, 0, image.width(), image.height())
    find(document, "Background").setName("Scan")
    reference = paint(document, "Reference", given["reference"])
    reference.setVisible(False)
    document.rootNode().addChildNode(reference, None)
    document.refreshProjection()
    yield 0.5
    document.setActiveNode(find(document, "Scan"))
    yield 0.3
    return document


def run(painter):
    yield from arrange(painter)
    for kind in (transparent, scan):
        name = kind.__name__
        document = yield from kind(painter)
        yield from painter.menu("referenceAdd", "Reference")
        yield from color(painter, document)
        document.setActiveNode(find(document, "Foreground"))
        yield 0.5
        first = snapshot(document)
        yield from color(painter, document)
        yield from painter.shot(name)
        keep_view(document, painter.file(name + ".bgra"))
        painter.note(name, {"first": first, "second": snapshot(document), "says": painter.says()})
        yield from painter.act("edit_undo", pause=2.0)
        painter.note(name + "_undone", snapshot(document))
        yield from close(document)
