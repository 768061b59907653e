"""A second window of Krita, used and closed; a floating docker."""

from krita import Krita
from linewash_driver.docker_actions import arrange, color
from linewash_driver.documents import drawing, results
from linewash_driver.qt import QDockWidget, QPushButton


def run(painter):
    given = painter.parameters
    yield from arrange(painter)
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    yield from painter.menu("referenceAdd", "Reference")

    dock = painter.dock()
    dock.setFloating(True)
    dock.move(300, 300)
    yield 0.5
    yield from color(painter, document)
    painter.note("floating", len(results(document)))
    dock.setFloating(False)
    yield 0.5

    second = Krita.instance().openWindow()
    window = second.qwindow()
    window.show()
    window.setGeometry(100, 50, 1300, 900)
    yield 2.0
    second.activate()
    second.addView(document)
    yield 1.0
    button = window.findChild(QDockWidget, "linewash").findChild(QPushButton, "color")
    yield from painter.click(button)
    yield from painter.until(lambda: len(results(document)) == 2, 300, "a result asked for in the second window")
    yield from painter.until(button.isEnabled, 60, "the docker of the second window to rest")
    yield from painter.shot("second_window")
    painter.note("second", len(results(document)))

    window.close()
    yield 1.5
    Krita.instance().activeWindow().activate()
    yield from color(painter, document)
    yield 1.0
    painter.note("after", len(results(document)))
    painter.note("says", painter.says())
