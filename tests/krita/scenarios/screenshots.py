"""The pictures of the README: Krita with a colored drawing, and each drawing alone, before and after."""

from linewash_driver.docker_actions import arrange, close, color
from linewash_driver.documents import drawing, find, keep_view, paint
from linewash_driver.qt import QPoint


def run(painter):
    given = painter.parameters
    yield from arrange(painter)
    for name, files in given["images"].items():
        document = yield from drawing(given["size"], files["lines"], files["reference"])
        yield from painter.menu("referenceAdd", "Reference")
        if files["mask"]:
            mask = paint(document, "Character", files["mask"])
            mask.setVisible(False)
            document.rootNode().addChildNode(mask, find(document, "Background"))
            yield 0.5
            document.setActiveNode(find(document, "Lines"))
            yield 0.5
            yield from painter.pick("foreground", "Mask layer")
            yield 0.5
            yield from painter.pick("foregroundLayer", "Character")
        keep_view(document, painter.file("%s_before.bgra" % name))
        yield from color(painter, document, 600)
        yield from painter.act("PanTool")  # a brush would show its outline
        dock = painter.dock()
        yield from painter.point(dock.mapToGlobal(dock.rect().bottomLeft() + QPoint(40, -40)))
        yield from painter.shot(name)
        keep_view(document, painter.file("%s_after.bgra" % name))
        painter.note(name, painter.says())
        yield from close(document)
