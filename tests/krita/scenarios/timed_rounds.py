"""Rounds with a stop-watch: the first, which starts the backend, further ones, and a plain round without a model."""

import itertools
import time
import urllib.request

from krita import Krita
from linewash_driver.docker_actions import arrange, color
from linewash_driver.documents import canvas, drawing, find, load_bytes, raw, results
from linewash_driver.qt import QBuffer, QImage, QIODevice, QTimer


class Watch:
    """Writes down when the docker said what."""

    def __init__(self, painter):
        self.said = []
        self._painter = painter
        self._timer = QTimer()
        self._timer.timeout.connect(self._poll)
        self._press = lambda: self.said.append([time.monotonic(), "pressed"])
        painter.widget("color").clicked.connect(self._press)
        self._timer.start(2)

    def _poll(self):
        text = self._painter.says()
        if self.said and text != self.said[-1][1]:
            self.said.append([time.monotonic(), text])

    def close(self):
        self._timer.stop()
        self._painter.widget("color").clicked.disconnect(self._press)
        return self.said


def png(image):
    """An image as PNG."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG", 80)
    return bytes(buffer.data())


def plain_round(document, url):
    """The least a round can be, all in the window's own thread: send images, fetch two layers, put them in.  Seconds each."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    marks = [time.monotonic()]
    rect, kept = canvas(document), []
    for name in ("Lines", "Reference"):
        data = bytes(find(document, name).pixelData(*rect))
        kept.append(png(QImage(data, rect[2], rect[3], QImage.Format.Format_ARGB32)))
    marks.append(time.monotonic())
    opener.open(url, b"".join(kept)).close()
    marks.append(time.monotonic())
    images = [load_bytes(opener.open("%s/%s" % (url, name)).read()) for name in ("background", "foreground")]
    marks.append(time.monotonic())
    group = document.createGroupLayer("Plain")
    layers = [document.createNode(name, "paintlayer") for name in ("Background", "Foreground")]
    for layer, image in zip(layers, images, strict=True):
        layer.setPixelData(raw(image), *rect)
    group.setChildNodes(layers)
    document.rootNode().addChildNode(group, find(document, "Reference"))
    document.refreshProjection()
    document.waitForDone()
    marks.append(time.monotonic())
    return dict(zip(("capture", "upload", "download", "insert"), (b - a for a, b in itertools.pairwise(marks)), strict=False))


def run(painter):
    given = painter.parameters
    yield from arrange(painter)
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    yield from painter.menu("referenceAdd", "Reference")
    yield 2.0
    for number in range(given["rounds"]):
        watch = Watch(painter)
        painter.ticker.start()
        yield 0.3
        yield from color(painter, document, 600)
        yield 0.5
        painter.note("stall%d" % number, painter.ticker.stop())
        painter.note("said%d" % number, watch.close())
        yield from painter.act("edit_undo")
    painter.note("left", len(results(document)))
    painter.ticker.start()
    yield 0.5
    seconds = plain_round(document, given["url"])
    yield 0.5
    painter.note("plain", {"seconds": seconds, "stall": painter.ticker.stop()})
    Krita.instance().activeDocument().setModified(False)
