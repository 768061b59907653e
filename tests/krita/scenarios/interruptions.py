"""What may happen between the click and the colors, in one Krita after another document."""

import signal

from krita import Krita
from linewash_driver import backend_processes
from linewash_driver.docker_actions import arrange, close, color, rest
from linewash_driver.documents import drawing, find, results, snapshot, undo_text


def ready(painter):
    """A fresh document with its reference chosen; returns it."""
    given = painter.parameters
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    yield from painter.menu("referenceAdd", "Reference")
    return document


def frozen(painter):
    """Click Colorize with the worker stopped, wait until the job has arrived; returns the stopped processes."""
    home = painter.parameters["home"]
    pids = backend_processes.below(home)
    backend_processes.send(pids, signal.SIGSTOP)
    jobs = backend_processes.job_count(home)
    yield from painter.press("color")
    yield from painter.until(lambda: backend_processes.job_count(home) > jobs, 60, "the job to reach the backend")
    yield 0.5
    return pids


def thaw(pids):
    """Let the worker go on."""
    backend_processes.send(pids, signal.SIGCONT)


def cancelled(painter, document):
    """Cancel half-way; then the next one works."""
    before = snapshot(document)
    pids = yield from frozen(painter)
    yield from painter.shot("running")
    yield from painter.press("cancel")
    thaw(pids)
    yield from painter.until(lambda: rest(painter), 60, "the docker to rest after Cancel")
    yield 1.0
    painter.note("cancelled", {"before": before, "after": snapshot(document), "says": painter.says()})
    yield from painter.shot("cancelled")
    yield from color(painter, document)
    painter.note("after_cancel", len(results(document)))


def clicked_twice(painter, document):
    """Two quick clicks are one coloring."""
    button = painter.widget("color")
    yield from painter.point(button.mapToGlobal(button.rect().center()))
    yield from painter.run("xdotool", "click", "--repeat", "2", "--delay", "40", "1")
    yield from painter.until(lambda: not rest(painter), 60, "the docker to start")
    yield from painter.until(lambda: rest(painter) and results(document), 300, "a result")
    yield 3.0
    painter.note("clicked_twice", len(results(document)))


def painted_on(painter, document):
    """The painter goes on painting on the line layer; the colors arrive in the middle of a stroke."""
    pids = yield from frozen(painter)
    yield from painter.brush((0.3, 0.3), (0.4, 0.35), (0.5, 0.3))
    yield from painter.lift()
    painter.note("stroke", undo_text())
    yield from painter.brush((0.3, 0.5), (0.4, 0.55), (0.45, 0.5))
    thaw(pids)
    yield from painter.until(lambda: "Adding" in painter.says() or results(document), 300, "the colors")
    yield 1.5
    painter.note("while_painting", len(results(document)))
    yield from painter.drag((0.5, 0.55), (0.6, 0.5))
    yield from painter.lift()
    yield from painter.until(lambda: results(document), 300, "a result")
    yield from painter.until(lambda: rest(painter), 60, "the docker to rest")
    yield 0.5
    yield from painter.shot("painted_on")
    after = snapshot(document)
    yield from painter.act("edit_undo")
    painter.note("painted_on", {"after": after, "undone": snapshot(document)})
    yield from painter.act("edit_undo")
    painter.note("one_stroke_less", snapshot(document))
    yield from painter.act("edit_undo")
    painter.note("no_stroke", snapshot(document))


def switched(painter, document):
    """Another document comes to the front; the colors still go to the one that asked."""
    pids = yield from frozen(painter)
    other = yield from drawing(painter.parameters["size"], painter.parameters["lines"], painter.parameters["reference"])
    before_other, before = snapshot(other), snapshot(document)
    yield from painter.shot("switched")
    thaw(pids)
    yield from painter.until(lambda: results(document), 300, "a result in the document that asked")
    yield 1.0
    seen = {"before": before, "after": snapshot(document), "other_before": before_other, "other_after": snapshot(other)}
    painter.note("switched", dict(seen, active=Krita.instance().activeDocument() == other))
    yield from close(other)


def resized(painter, document):
    """The canvas grows before the colors arrive."""
    pids = yield from frozen(painter)
    width, height = painter.parameters["size"]
    document.resizeImage(-32, -16, width + 64, height + 32)
    yield 0.5
    before = snapshot(document)
    thaw(pids)
    yield from painter.until(lambda: rest(painter), 300, "the docker to rest after the canvas grew")
    yield 0.5
    painter.note("resized", {"before": before, "after": snapshot(document), "says": painter.says()})
    yield from painter.shot("resized")
    yield from painter.press("bringIn")
    yield from painter.until(lambda: results(document), 60, "the result to be brought in")
    yield from painter.until(lambda: rest(painter), 60, "the docker to rest after it was brought in")
    yield 0.5
    offered = painter.widget("unclaimed").isVisible()
    painter.note("brought", {"after": snapshot(document), "says": painter.says(), "offered": offered, "undo": undo_text()})
    yield from painter.shot("brought")


def line_layer_deleted(painter, document):
    """The line layer goes before its colors arrive."""
    pids = yield from frozen(painter)
    find(document, "Lines").remove()
    document.refreshProjection()
    yield 0.5
    before = snapshot(document)
    thaw(pids)
    yield from painter.until(lambda: rest(painter), 300, "the docker to rest after the lines went")
    yield 0.5
    painter.note("line_layer_deleted", {"before": before, "after": snapshot(document), "says": painter.says()})
    home = painter.parameters["home"]
    count = backend_processes.job_count(home)
    yield from painter.press("discard")
    yield from painter.until(lambda: backend_processes.job_count(home) < count, 30, "the backend to forget it")
    painter.note("discarded", {"after": snapshot(document), "offered": painter.widget("unclaimed").isVisible()})


def killed(painter, document):
    """The backend dies half-way; the next click starts it anew."""
    home = painter.parameters["home"]
    before = snapshot(document)
    yield from frozen(painter)
    yield from backend_processes.kill(home)
    yield from painter.until(lambda: rest(painter), 120, "the docker to notice that the backend died")
    yield 0.3
    painter.note("killed", {"before": before, "after": snapshot(document), "says": painter.says()})
    yield from painter.shot("killed")
    yield from color(painter, document)
    painter.note("after_kill", {"count": len(results(document)), "says": painter.says()})


def worker_killed(painter, document):
    """Only the process with the model dies."""
    before = snapshot(document)
    pids = yield from frozen(painter)
    backend_processes.send(pids, signal.SIGKILL)
    yield from painter.until(lambda: rest(painter), 120, "the docker to notice that the model died")
    yield 0.3
    painter.note("worker_killed", {"before": before, "after": snapshot(document), "says": painter.says()})
    yield from color(painter, document)
    painter.note("after_worker_kill", len(results(document)))


def closed(painter, other):
    """The document is closed half-way, while another one is open."""
    document = yield from ready(painter)
    before = snapshot(other)
    pids = yield from frozen(painter)
    yield from close(document)
    thaw(pids)
    yield 4.0
    painter.note("closed", {"before": before, "after": snapshot(other), "says": painter.says(), "rests": rest(painter)})
    yield from painter.shot("closed")


STEPS = (clicked_twice, cancelled, painted_on, switched, resized, line_layer_deleted, worker_killed, killed, closed)


def run(painter):
    yield from arrange(painter)
    for step in STEPS:
        document = yield from ready(painter)
        yield from step(painter, document)
        yield from close(document)
