"""A painter lets a model whiten the foreground of a background reference, and sees that before coloring."""

from linewash_driver.docker_actions import arrange, close
from linewash_driver.documents import drawing, snapshot
from linewash_driver.painter import entries
from linewash_driver.qt import QScrollArea, Qt


def into_view(painter, name):
    painter.dock().findChild(QScrollArea).ensureWidgetVisible(painter.widget(name))
    yield 0.3


def run(painter):
    given = painter.parameters
    yield from arrange(painter)
    dock, window = painter.dock(), painter.window()
    window.resizeDocks([dock], [760], Qt.Orientation.Vertical)
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    yield from painter.menu("referenceAdd", "Reference")
    yield from painter.menu("referenceAdd", "Background")  # white paper, which colors the rest
    shown = painter.widget("reference")
    yield from painter.until(lambda: shown.thumbnail(shown.references()[0]) is not None, 30, "a thumbnail")
    before = snapshot(document)
    yield from painter.point(shown.mapToGlobal(shown.visualItemRect(shown.item(0)).center()))
    yield from painter.run("xdotool", "click", "3")
    yield from painter._entry("Use for the background")
    box = painter.widget("model")
    yield from painter.click(box)  # which starts the backend
    yield from painter.until(lambda: any(given["model"] in text for text in entries(box)), 120, "a list of models")
    yield from painter.keys("Escape")
    yield from painter.pick("model", given["model"])
    yield from painter.until(lambda: painter.widget("mode").isVisible(), 30, "modes")
    yield from painter.pick("mode", given["mode"])
    yield from into_view(painter, "moreParameters")
    yield from painter.press("moreParameters")
    yield 0.5
    shown.thumbnail(shown.references()[0]).save(painter.file("thumbnail_before.png"))
    painter.ticker.start()
    yield from into_view(painter, "set_clear_background")
    yield from painter.click(painter.widget("set_clear_background"))
    tip = lambda: shown.item(0).toolTip()  # noqa: E731
    yield from painter.until(lambda: "as the model will see it" in tip(), 120, "the bleached reference")
    painter.note("stall", painter.ticker.stop())
    painter.note("tip", tip())
    shown.thumbnail(shown.references()[0]).save(painter.file("thumbnail_after.png"))
    yield from painter.shot("parameters")
    yield from into_view(painter, "lines")
    yield from painter.shot("bleached")
    painter.note("documents", {"before": before, "after": snapshot(document)})
    yield from close(document)
