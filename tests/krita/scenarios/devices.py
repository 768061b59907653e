"""What computes: shown once the backend answers, chosen, kept over the backend's end, and given up when a card fails."""

from pathlib import Path

from linewash_driver.docker_actions import arrange, close, color, rest
from linewash_driver.documents import drawing, results
from linewash_driver.painter import entries
from linewash_driver.qt import QScrollArea


def row(painter):
    """The row as a painter finds it at the end of the docker's choices."""
    box = painter.widget("device")
    painter.dock().findChild(QScrollArea).ensureWidgetVisible(box)
    yield 0.3
    return box


def look(painter, name):
    """Note what the row says."""
    box = yield from row(painter)
    yield from painter.shot(name)
    painter.note(name, {"entries": entries(box), "shown": box.currentText(), "tip": box.toolTip(), "usable": box.isEnabled()})


def settled(painter, text):
    """Wait until the backend has said that this computes."""
    box = painter.widget("device")
    yield from painter.until(lambda: "Now: " + text in box.toolTip(), 60, "%s to compute" % text)
    yield from painter.until(lambda: rest(painter), 60, "the docker to rest")


def run(painter):
    given = painter.parameters
    yield from arrange(painter)
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    yield from painter.menu("referenceAdd", "Reference")
    painter.note("before", painter.widget("device").isVisible())
    before = len(results(document))
    yield from painter.press("color")
    yield from painter.until(lambda: len(results(document)) > before, 120, "a result")
    if given["kept"]:
        yield from settled(painter, given["kept"])
        yield from look(painter, "kept")
        yield from close(document)
        return
    yield from settled(painter, "NVIDIA RTX 3060, 12 GB")
    yield from look(painter, "automatic")
    box = yield from row(painter)
    yield from painter.click(box)
    yield 0.5
    yield from painter.shot("open")
    yield from painter.keys("Escape")
    yield 0.3
    yield from painter.pick("device", "NVIDIA GTX 1650, 4 GB")
    yield from settled(painter, "NVIDIA GTX 1650, 4 GB")
    yield from look(painter, "changed")
    Path(given["fault"]).touch()
    yield from color(painter, document)
    yield from settled(painter, "Processor (8 cores)")
    yield from look(painter, "failed")
    painter.note("says", painter.says())
    Path(given["fault"]).unlink()
    yield from painter.pick("device", "NVIDIA GTX 1650, 4 GB")
    yield from settled(painter, "NVIDIA GTX 1650, 4 GB")
    yield from close(document)
