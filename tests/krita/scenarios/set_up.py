"""From the first document of a fresh profile to the first color: the docker sets the backend up by itself."""

import time

from linewash_driver.docker_actions import arrange, color
from linewash_driver.documents import drawing, results
from linewash_driver.setup_actions import seen, texts


def run(painter):
    given = painter.parameters
    yield 1.5
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    yield from painter.until(lambda: painter.dock().isVisible(), 30, "the docker")
    yield from painter.until(lambda: seen(painter, "setupButton"), 30, "the set-up page")
    yield 1.0
    yield from painter.shot("page")
    painter.note("page", texts(painter))
    yield from arrange(painter)  # Krita's first window reaches below the screen where no window manager keeps it in
    painter.ticker.start()
    begun = time.monotonic()
    yield from painter.press("setupButton")
    sentences, phases = [], {}
    counter = 0
    while not seen(painter, "color"):
        said = painter.widget("setupSentence").text()
        if said and said not in sentences:
            sentences.append(said)
            phases.setdefault(said.split()[0], round(time.monotonic() - begun, 1))  # when each kind of work began
            counter += 1
            if counter in (2, 4, 12, 40):
                yield from painter.shot("progress%d" % counter)
        if time.monotonic() - begun > given["seconds"] or seen(painter, "setupMessage"):
            painter.note("sentences", sentences)
            yield from painter.shot("stuck")
            raise AssertionError("the set-up does not end: %s" % texts(painter))
        yield 0.2
    painter.note("seconds", time.monotonic() - begun)
    painter.note("phases", phases)
    painter.note("sentences", sentences)
    yield 0.5
    yield from painter.shot("ready")
    begun = time.monotonic()
    yield from painter.menu("referenceAdd", "Reference")
    yield 1.0
    yield from painter.shot("reference")
    yield from color(painter, document)
    painter.note("stall", painter.ticker.stop())
    painter.note("color_seconds", time.monotonic() - begun)
    yield 0.5
    yield from painter.shot("colored")
    painter.note("layers", [node.name() for node in results(document)[0].childNodes()])
    document.setModified(False)
    document.close()
    yield 0.3
