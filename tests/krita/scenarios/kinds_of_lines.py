"""Where lines may lie in a document: a scan, a painting, a group, off the canvas, a vector layer, beside hidden ones."""

from linewash_driver.docker_actions import arrange, close, color
from linewash_driver.documents import find, keep_view, load, new, paint, raw, snapshot, undo_text

VECTOR = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{w}pt" height="{h}pt" viewBox="0 0 {w} {h}">'
    '<path d="M 20 20 L {r} 20 L {r} {b} L 20 {b} Z" fill="none" stroke="#000000" stroke-width="3"/>'
    '<circle cx="{x}" cy="{y}" r="{q}" fill="none" stroke="#000000" stroke-width="3"/></svg>'
)


def scan(document, given):
    """Black on white on the only, lowest layer."""
    image = load(given["scan"])
    find(document, "Background").setPixelData(raw(image), 0, 0, image.width(), image.height())
    find(document, "Background").setName("Scan")
    return find(document, "Scan")


def scan_alone(document, given):
    """Nothing but a scan; the reference is a file."""
    return scan(document, given)


def painting(document, given):
    """A colored image between others, of which the lines are wanted."""
    layer = paint(document, "Painting", given["painting"])
    document.rootNode().addChildNode(layer, None)
    document.rootNode().addChildNode(document.createNode("Notes above", "paintlayer"), None)
    return layer


def lowest(document, given):
    """Transparent lines with nothing below them."""
    lines = paint(document, "Lines", given["lines"])
    document.rootNode().addChildNode(lines, None)
    find(document, "Background").remove()
    return lines


def in_group(document, given):
    """A transparent line layer between others inside a group."""
    group = document.createGroupLayer("Character")
    lines = paint(document, "Lines", given["lines"])
    group.setChildNodes(
        [document.createNode("Notes below", "paintlayer"), lines, document.createNode("Notes above", "paintlayer")]
    )
    document.rootNode().addChildNode(group, None)
    return lines


def group_itself(document, given):
    """The line layer is a group of two halves of the lines."""
    group = document.createGroupLayer("Ink group")
    group.setChildNodes([paint(document, "Ink 1", given["lines"]), document.createNode("Ink 2", "paintlayer")])
    document.rootNode().addChildNode(group, None)
    return group


def offset(document, given):
    """Lines that reach over the canvas on two sides."""
    lines = paint(document, "Lines", given["lines"], at=(-40, -30))
    document.rootNode().addChildNode(lines, None)
    return lines


def vector(document, given):
    """Lines as shapes."""
    layer = document.createVectorLayer("Lines")
    document.rootNode().addChildNode(layer, None)
    w, h = (side * 72 / 300 for side in given["size"])
    scale = {"w": w, "h": h, "r": w - 5, "b": h - 5, "x": w / 2, "y": h / 2, "q": h / 4}
    layer.addShapesFromSvg(VECTOR.replace("20", "5").replace('stroke-width="3"', 'stroke-width="1"').format(**scale))
    return layer


def hidden_neighbors(document, given):
    """Painted layers above the lines that are not visible."""
    document.rootNode().addChildNode(paint(document, "Lines", given["lines"]), None)
    blot = paint(document, "Blot", given["scan"])
    blot.setVisible(False)
    document.rootNode().addChildNode(blot, None)
    return find(document, "Lines")


def dimmed(document, given):
    """Locked lines at half opacity in multiply, as some painters keep them."""
    lines = paint(document, "Lines", given["lines"])
    document.rootNode().addChildNode(lines, None)
    lines.setOpacity(128)
    lines.setBlendingMode("multiply")
    lines.setLocked(True)
    return lines


def hidden(document, given):
    """The line layer itself is hidden."""
    lines = paint(document, "Lines", given["lines"])
    document.rootNode().addChildNode(lines, None)
    lines.setVisible(False)
    return lines


KINDS = (scan, scan_alone, painting, lowest, in_group, group_itself, offset, vector, hidden_neighbors, dimmed, hidden)


def leave_mark(painter, document, kind):
    """A step to undo that is no "Add Layer", so that ours can be counted.

    On a paint layer: with a vector layer active, *Select All* selects its shapes since Krita 5.3, and that is no step.
    """
    document.setActiveNode(find(document, "Scan" if kind is scan_alone else "Reference"))
    yield 0.3
    yield from painter.act("select_all")
    yield from painter.act("deselect")


def run(painter):
    given = painter.parameters
    yield from arrange(painter)
    for kind in KINDS:
        name = kind.__name__
        document = new(given["size"])
        yield 0.5
        lines = kind(document, given)
        if kind is not scan_alone:
            reference = paint(document, "Reference", given["reference"])
            reference.setVisible(False)
            document.rootNode().addChildNode(reference, None)
        document.refreshProjection()
        yield 0.4
        yield from leave_mark(painter, document, kind)
        document.setActiveNode(lines)
        yield 0.3
        if kind is scan_alone:
            yield from painter.choose_file("referenceAdd", "file", given["reference"])
        else:
            yield from painter.menu("referenceAdd", "Reference")
        if kind is painting:
            yield from painter.pick("linesAs", "Colored image")
        mark, before = undo_text(), snapshot(document)
        keep_view(document, painter.file(name + "_before.bgra"))
        group = yield from color(painter, document)
        keep_view(document, painter.file(name + "_after.bgra"))
        yield from painter.shot(name)
        after, parent = snapshot(document), group.parentNode().name()
        steps = 0
        while undo_text() != mark and steps < 6:
            yield from painter.act("edit_undo")
            steps += 1
        seen = {"before": before, "after": after, "undone": snapshot(document), "steps": steps, "mark": mark, "parent": parent}
        painter.note(name, dict(seen, says=painter.says()))
        yield from close(document)
