"""Masks on the layers that are read: transparency masks cut them, and a colorize mask's key strokes are hints."""

from krita import Krita, ManagedColor, Selection
from linewash_driver.docker_actions import arrange, close, color
from linewash_driver.documents import SRGB, drawing, find, keep_layer, paint, snapshot
from linewash_driver.painter import entries

MASK = "Key strokes"


def select(document, box):
    """Select a box, None = nothing."""
    chosen = Selection()
    if box is not None:
        chosen.select(*box, 255)
    document.setSelection(chosen if box is not None else None)


def cut(document, name):
    """Give a layer a transparency mask that leaves its left half, as a painter does: by what is selected."""
    select(document, (0, 0, document.width() // 2, document.height()))
    document.setActiveNode(find(document, name))
    yield 0.3
    Krita.instance().action("add_new_transparency_mask").trigger()
    yield 0.6
    select(document, None)


def managed(rgb):
    """A color of Krita's."""
    made = ManagedColor("RGBA", "U8", SRGB)
    made.setComponents([rgb[2] / 255, rgb[1] / 255, rgb[0] / 255, 1.0])
    return made


def colorize(document, layer, strokes, transparent):
    """Put a colorize mask on a layer, with a box for each color, and let Krita compute it."""
    width, height = document.width(), document.height()
    mask = document.createColorizeMask(MASK)
    layer.addChildNode(mask, None)
    colors = [managed(rgb) for rgb, _ in strokes]
    mask.initializeKeyStrokeColors(colors, transparent)
    for each, (_, (left, top, right, bottom)) in zip(colors, strokes, strict=True):
        data = bytearray(width * height)
        for row in range(top, bottom):
            data[row * width + left : row * width + right] = b"\xff" * (right - left)
        mask.setKeyStrokePixelData(bytes(data), each, 0, 0, width, height)
    mask.setEditKeyStrokes(False)
    mask.updateMask(True)
    yield 2.5


def by_layer(painter, document, given):
    """The strokes on a layer of their own, for comparison."""
    document.rootNode().addChildNode(paint(document, MASK, given["hints"]), None)
    document.refreshProjection()
    yield 0.5


def masked(painter, document, given):
    """Transparency masks on all layers that are read; two of them are hidden, so Krita does not compute them."""
    yield from by_layer(painter, document, given)
    find(document, MASK).setVisible(False)
    document.refreshProjection()
    for name in ("Lines", "Reference", MASK):
        yield from cut(document, name)
    document.setActiveNode(find(document, "Lines"))


def strokes(painter, document, given):
    """A colorize mask on the lines, computed and shown."""
    yield from colorize(document, find(document, "Lines"), given["strokes"], given["transparent"])


def strokes_and_cut(painter, document, given):
    """The same with a transparency mask."""
    yield from strokes(painter, document, given)
    yield from cut(document, "Lines")


def in_group(painter, document, given):
    """The lines are a group that is cut, and a layer in it has a colorize mask."""
    group = document.createGroupLayer("Drawing")
    document.rootNode().addChildNode(group, None)
    find(document, "Lines").remove()
    group.addChildNode(paint(document, "Lines", given["lines"]), None)
    yield 0.3
    yield from strokes(painter, document, given)
    yield from cut(document, "Drawing")
    document.setActiveNode(find(document, "Drawing"))
    yield 0.3


def by_hand(painter, document, given):
    """A colorize mask as a painter makes it: Krita's action and strokes of a brush, which show while they are edited."""
    yield from painter.act("add_new_colorize_mask", 1.0)
    view = Krita.instance().activeWindow().activeView()
    for rgb, ((x, y), (to_x, to_y)) in given["brushed"]:
        view.setForeGroundColor(managed(rgb))
        yield 0.3
        yield from painter.brush((x, y), ((x + to_x) / 2, (y + to_y) / 2), (to_x, to_y))
        yield from painter.lift()
    yield 1.0
    mask = next(node for node in find(document, "Lines").childNodes() if node.type() == "colorizemask")
    mask.setName(MASK)
    yield 0.6


def play(painter, name, kind, space, size):
    given = painter.parameters
    document = yield from drawing(size, given["lines"], given["reference"], space)
    yield from painter.menu("referenceAdd", "Reference")
    yield from kind(painter, document, given)
    yield 0.6
    offered = MASK in entries(painter.widget("hints"))
    yield from painter.pick("hints", MASK if offered else "None")
    yield from painter.pick("finish", "Flats")
    yield 0.5
    before = snapshot(document)
    yield from painter.shot(name + "_before")
    lines = painter.widget("lines").currentText()
    painter.ticker.start()
    yield 0.3
    group = yield from color(painter, document, 60.0)
    stall = painter.ticker.stop()
    yield from painter.shot(name)
    parent = group.parentNode().childNodes()
    place = next(i for i, node in enumerate(parent) if node == group)
    seen = {"before": before, "after": snapshot(document), "says": painter.says(), "offered": offered, "lines": lines}
    above = parent[place + 1].name() if place + 1 < len(parent) else ""
    painter.note(name, {**seen, "stall": stall, "above": above, "blending": group.blendingMode()})
    for layer in group.childNodes():
        keep_layer(layer, document, painter.file("%s_%s.bgra" % (name, layer.name())))
    yield from close(document)


def run(painter):
    yield from arrange(painter)
    kinds = [by_layer, masked, by_hand]
    if painter.parameters["offered"]:
        kinds += [strokes, strokes_and_cut, in_group]
    for space in painter.parameters["spaces"]:
        for kind in kinds:
            yield from play(painter, "%s_%s" % (space, kind.__name__), kind, space, painter.parameters["size"])
