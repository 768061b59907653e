"""From a transparent line drawing to two layers under it, and everything a painter may do with them after."""

from krita import Krita
from linewash_driver.docker_actions import arrange, close, color
from linewash_driver.documents import drawing, find, keep_layer, keep_view, results, snapshot


def run(painter):
    given = painter.parameters
    yield from arrange(painter)
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    yield from painter.menu("referenceAdd", "Reference")
    yield from painter.shot("before")
    painter.note("before", snapshot(document))

    painter.ticker.start()
    yield 0.3
    group = yield from color(painter, document)
    yield 0.5
    painter.note("stall", painter.ticker.stop())

    yield from painter.shot("after")
    painter.note("says", painter.says())
    painter.note("after", snapshot(document))
    painter.note("active", document.activeNode().name())
    painter.note("modified", document.modified())
    for layer in group.childNodes():
        keep_layer(layer, document, painter.file(layer.name() + ".bgra"))

    for name in ("Lines", "Reference", "Background"):
        find(document, name).setVisible(False)
    document.refreshProjection()
    yield 0.4
    keep_view(document, painter.file("group.bgra"))
    foreground = next(n for n in results(document)[0].childNodes() if n.name() == "Foreground")
    foreground.setVisible(False)
    document.refreshProjection()
    yield 0.4
    keep_view(document, painter.file("behind.bgra"))
    yield from painter.shot("foreground_hidden")
    foreground.setVisible(True)
    for name in ("Lines", "Background"):
        find(document, name).setVisible(True)
    document.refreshProjection()
    yield 0.4

    yield from painter.act("edit_undo")
    painter.note("undone", snapshot(document))
    yield from painter.act("edit_redo")
    painter.note("redone", snapshot(document))

    path = painter.file("saved.kra")
    document.setBatchmode(True)
    painter.note("saved", document.saveAs(path))
    yield 0.5
    yield from close(document)
    again = Krita.instance().openDocument(path)
    Krita.instance().activeWindow().addView(again)
    yield 1.0
    painter.note("reopened", snapshot(again))
    yield from close(again)
