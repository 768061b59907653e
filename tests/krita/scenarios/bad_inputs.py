"""What a painter can get wrong: each answered with its own sentence, the document untouched.  The function names the error."""

from linewash_driver.backend_processes import fault_file
from linewash_driver.docker_actions import arrange, close, color, refused
from linewash_driver.documents import drawing, find, new, paint, results, snapshot


def standard(painter):
    """Paper, hidden reference, lines, and the reference chosen."""
    given = painter.parameters
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    yield from painter.menu("referenceAdd", "Reference")
    return document


def no_lines(painter):
    """A document without any layer."""
    document = new(painter.parameters["size"])
    yield 0.5
    find(document, "Background").remove()
    yield 0.5
    return document


def empty_lines(painter):
    """A fresh layer is active."""
    document = yield from standard(painter)
    document.rootNode().addChildNode(document.createNode("Fresh", "paintlayer"), None)
    document.refreshProjection()
    yield 0.5
    document.setActiveNode(find(document, "Fresh"))
    yield 0.5
    return document


def no_reference(painter):
    """No reference is chosen."""
    given = painter.parameters
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    return document


def empty_reference(painter):
    """The reference layer has nothing on it."""
    given = painter.parameters
    document = yield from drawing(given["size"], given["lines"], None)
    document.rootNode().addChildNode(document.createNode("Nothing", "paintlayer"), find(document, "Background"))
    yield 0.5
    document.setActiveNode(find(document, "Lines"))
    yield 0.3
    yield from painter.menu("referenceAdd", "Nothing")
    return document


def reference_unreadable(painter):
    """The reference file is no image."""
    given = painter.parameters
    document = yield from drawing(given["size"], given["lines"], None)
    yield from painter.choose_file("referenceAdd", "file", given["not_a_picture"])
    return document


def empty_selection(painter):
    """Foreground is the selection, and nothing is selected."""
    document = yield from standard(painter)
    yield from painter.pick("foreground", "Selection")
    return document


def mask_layer(painter, document, layer):
    """Put a layer at the bottom and choose it as the mask."""
    document.rootNode().addChildNode(layer, find(document, "Background"))
    document.refreshProjection()
    yield 0.5
    document.setActiveNode(find(document, "Lines"))
    yield 0.3
    yield from painter.pick("foreground", "Mask layer")
    yield 0.5
    yield from painter.pick("foregroundLayer", layer.name())


def empty_mask(painter):
    """The mask layer has nothing white on it."""
    document = yield from standard(painter)
    yield from mask_layer(painter, document, document.createNode("Empty mask", "paintlayer"))
    return document


def mask_size(painter):
    """The mask is an image of another size than the canvas."""
    document = yield from standard(painter)
    yield from mask_layer(painter, document, paint(document, "Small mask", painter.parameters["small_mask"]))
    return document


def canvas_too_large(painter):
    """One pixel too wide."""
    document = new((8193, 64))
    yield 0.8
    yield from painter.menu("referenceAdd", "Background")
    return document


def canvas_too_small(painter):
    """One pixel too narrow."""
    document = new((63, 80))
    yield 0.5
    yield from painter.menu("referenceAdd", "Background")
    return document


def disk_full(painter):
    """The backend cannot write the result."""
    document = yield from standard(painter)
    fault_file(painter.parameters["home"]).parent.mkdir(parents=True, exist_ok=True)
    fault_file(painter.parameters["home"]).write_text("disk_full")
    return document


CASES = (
    no_lines,
    empty_lines,
    no_reference,
    empty_reference,
    reference_unreadable,
    empty_selection,
    empty_mask,
    mask_size,
    canvas_too_large,
    canvas_too_small,
    disk_full,
)


def run(painter):
    yield from arrange(painter)
    painter.note("no_document", {"says": (yield from refused(painter)), "before": None, "after": None})
    for case in CASES:
        document = yield from case(painter)
        before = snapshot(document)
        says = yield from refused(painter)
        painter.note(case.__name__, {"says": says, "before": before, "after": snapshot(document)})
        yield from painter.shot(case.__name__)
        yield from close(document)
    fault_file(painter.parameters["home"]).unlink()
    document = yield from standard(painter)
    yield from color(painter, document)
    painter.note("next", {"groups": len(results(document)), "says": painter.says()})
    yield from close(document)
