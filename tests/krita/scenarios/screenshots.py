"""The pictures of the README: Krita with a coloured drawing, and the picture alone."""

from linewash_driver.desk import arrange, colour
from linewash_driver.paper import drawing, keep_view
from PyQt5.QtCore import QPoint


def run(painter):
    given = painter.parameters
    yield from arrange(painter)
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    yield from painter.menu("referenceAdd", "Reference")
    if given["finish"]:
        yield from painter.pick("finish", given["finish"])
    keep_view(document, painter.file("before.bgra"))
    for number in range(given["tries"]):
        yield from colour(painter, document, 600)
        yield from painter.point(painter.dock().mapToGlobal(painter.dock().rect().bottomLeft()) + QPoint(40, -40))
        yield from painter.shot("window%d" % number)
        keep_view(document, painter.file("after%d.bgra" % number))
        painter.note("says%d" % number, painter.says())
        yield from painter.act("edit_undo", 0.8)
