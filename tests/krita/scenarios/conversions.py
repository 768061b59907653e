"""The painter converts the document to another color space while it is being colored."""

import signal

from krita import Selection
from linewash_driver import backend_processes
from linewash_driver.docker_actions import arrange, close, color, rest
from linewash_driver.documents import SRGB, drawing, find, keep_layer, results, snapshot


def convert(document):
    """To 16 bits, as *Image > Convert Image Color Space* does."""
    document.setColorSpace("RGBA", "U16", SRGB)


def keep(painter, document, name):
    """The layers of all results in sRGB, the newest first, and all of the document."""
    for number, group in enumerate(reversed(results(document))):
        for layer in group.childNodes():
            keep_layer(layer, document, painter.file("%s_%d_%s.bgra" % (name, number, layer.name())))
    painter.note(name, {"after": snapshot(document), "says": painter.says()})


def colored(painter, document, count):
    """Wait for so many results and a docker that rests."""
    yield from painter.until(lambda: len(results(document)) == count and rest(painter), 300, "a result")
    yield 0.5


def while_computing(painter, document):
    """Converted while the backend computes."""
    home = painter.parameters["home"]
    pids = backend_processes.below(home)
    backend_processes.send(pids, signal.SIGSTOP)
    jobs = backend_processes.job_count(home)
    yield from painter.press("color")
    yield from painter.until(lambda: backend_processes.job_count(home) > jobs, 60, "the job to reach the backend")
    convert(document)
    yield 0.5
    backend_processes.send(pids, signal.SIGCONT)


def computed(painter, document):
    yield from while_computing(painter, document)
    yield from colored(painter, document, 1)
    keep(painter, document, "computing")


def recolored(painter, document):
    group = yield from color(painter, document)
    for parent, node in ((group, document.createGroupLayer("Mine")), (None, document.createNode("Shading", "paintlayer"))):
        (parent or find(document, "Mine")).addChildNode(node, None)  # the painter's own: a group with a layer in it
    document.refreshProjection()
    yield 0.5
    left, top, width, height = painter.parameters["box"]
    chosen = Selection()
    chosen.select(left, top, width, height, 255)
    document.setSelection(chosen)
    document.setActiveNode(find(document, "Lines"))
    yield from painter.pick("area", "Selection")
    yield 0.8
    yield from while_computing(painter, document)
    yield from colored(painter, document, 2)
    keep(painter, document, "recoloring")
    yield from painter.pick("area", "Whole canvas")


def added(painter, document):
    """Converted when the layers are just being put together."""
    yield from painter.press("color")
    # Looked for often: the layers are put together in a second.
    yield from painter.until(lambda: "Adding" in painter.says(), 300, "the layers to be added", step=0.005)
    painter.note("adding_began", len(results(document)))
    convert(document)
    yield from colored(painter, document, 1)
    yield from painter.shot("adding")
    keep(painter, document, "adding")


def run(painter):
    given = painter.parameters
    yield from arrange(painter)
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    yield from painter.menu("referenceAdd", "Reference")
    yield from color(painter, document)  # so that the backend runs
    yield from close(document)
    for play, size, lines, reference in (
        (computed, given["size"], given["lines"], given["reference"]),
        (recolored, given["size"], given["lines"], given["reference"]),
        (added, given["large_size"], given["large_lines"], given["large_reference"]),
    ):
        document = yield from drawing(size, lines, reference)
        yield from painter.menu("referenceAdd", "Reference")
        yield from play(painter, document)
        yield from close(document)
