"""One set-up that meets a full disk, no network, a network that goes, damaged files; each is mended and tried again.

The home is a small file system of its own, which a file of noughts fills.
"""

import os
from pathlib import Path

from linewash_driver.docker_actions import arrange, color
from linewash_driver.documents import drawing, results
from linewash_driver.setup_actions import at_moment, half_installed, order, ready, texts, until_page, until_ready


def run(painter):
    given = painter.parameters
    home = given["home"]
    yield from arrange(painter)
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    fill(home)
    yield from until_page(painter, "Set Up")
    yield 1.2  # the free space is looked at every second
    yield from keep(painter, "page with a full disk")
    yield from painter.press("setupButton")
    yield from trouble(painter, "full disk at the start")

    leave(home, 12_000_000)
    yield from painter.press("setupButton")
    yield from trouble(painter, "full disk while copying")

    empty(home)
    os.environ["PIP_INDEX_URL"] = given["nowhere"] + "/simple"
    yield from painter.press("setupButton")
    yield from trouble(painter, "no network")

    os.environ["PIP_INDEX_URL"] = given["index"] + "/simple"
    order(given["index"], damage=dict.fromkeys(given["wheels"], 99))
    yield from painter.press("setupButton")
    yield from trouble(painter, "damaged files")

    order(given["index"], damage={}, bytes_per_second=300_000)
    yield from painter.press("setupButton")
    yield from moment(painter, home, {"phase": "download", "fraction": 0.3})
    order(given["index"], is_down=True)
    yield from trouble(painter, "network gone")

    order(given["index"], is_down=False)
    yield from painter.press("setupButton")
    yield from moment(painter, home, {"phase": "download", "fraction": 0.6})
    fill(home)
    yield from trouble(painter, "full disk while downloading")

    leave(home, 3_000_000)
    yield from painter.press("setupButton")
    yield from trouble(painter, "too little space for the rest")

    empty(home)
    order(given["index"], bytes_per_second=0)
    yield from painter.press("setupButton")
    yield from until_ready(painter)
    yield from painter.menu("referenceAdd", "Reference")
    yield from color(painter, document)
    painter.note("layers", [node.name() for node in results(document)[0].childNodes()])


def keep(painter, name):
    """Note and photograph what the page says now."""
    home = painter.parameters["home"]
    yield from painter.shot(name.replace(" ", "_"))
    painter.note(name, {**half_installed(home), "page": texts(painter)})


def trouble(painter, name):
    """Wait until the set-up has stopped, and keep what it says."""
    stopped = ("Try Again", "Continue")
    yield 0.5
    yield from painter.until(
        lambda: ready(painter) or texts(painter).get("setupButton") in stopped, 90, "the docker to say what is wrong: " + name
    )
    yield from keep(painter, name)


def moment(painter, home, where):
    """Wait for the installer to be there."""
    yield from painter.until(lambda: at_moment(home, where), 60, str(where), step=0.01)


def fill(home):
    """Leave not one free byte."""
    with (Path(home) / "filler").open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


def leave(home, free):
    """Leave so many free bytes on a disk that is full."""
    filler = Path(home) / "filler"
    os.truncate(filler, max(0, filler.stat().st_size - free))


def empty(home):
    """Free all the space again."""
    (Path(home) / "filler").unlink()
