"""The same drawing in documents of other color spaces and depths."""

from linewash_driver.docker_actions import arrange, close, color
from linewash_driver.documents import drawing, keep_layer, keep_view, snapshot


def run(painter):
    given = painter.parameters
    yield from arrange(painter)
    for space in given["spaces"]:
        document = yield from drawing(given["size"], given["lines"], given["reference"], space)
        yield from painter.menu("referenceAdd", "Reference")
        before = snapshot(document)
        group = yield from color(painter, document)
        yield from painter.shot(space)
        painter.note(space, {"before": before, "after": snapshot(document), "says": painter.says()})
        for layer in group.childNodes():
            keep_layer(layer, document, painter.file("%s_%s.bgra" % (space, layer.name())))
        keep_view(document, painter.file(space + ".bgra"))
        yield from close(document)
