"""The docker sets the backend up; at given moments the installer with its children, Krita, or both are killed with -9.

The last kill of a round is Krita's own, and the next round is played in the same profile; the last round ends with colors.
"""

import os
import signal
import time
from pathlib import Path

from linewash_driver.docker_actions import arrange, color
from linewash_driver.documents import drawing, results
from linewash_driver.setup_actions import (
    at_moment,
    half_installed,
    kill_installer,
    offers,
    order,
    progress,
    ready,
    texts,
    until_page,
    until_ready,
)


def run(painter):
    given = painter.parameters
    home = given["home"]
    yield from arrange(painter)
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    if given["is_first"]:
        yield from until_page(painter, "Set Up")
        yield from painter.press("setupButton")
        pid = 0
    else:
        yield from painter.until(lambda: "setupTitle" in texts(painter) or ready(painter), 30, "the docker")
        painter.note("begin", {"page": texts(painter), "pid": progress(home).get("pid")})
        pid = given["pid"]
    for number, moment in enumerate(given["moments"]):
        name = moment["name"]
        order(given["index"], **moment.get("index", {}))
        yield from until_moment(painter, home, moment, pid)
        pid = progress(home)["pid"]
        if moment["victim"] != "krita":  # first of all, before it goes on
            kill_installer(home)
        at_once = {**half_installed(home), "phase": progress(home)["phase"], "pid": pid}
        if moment["victim"] != "installer":
            order(given["index"], bytes_per_second=30_000)  # so that the next Krita still finds it at work
            painter.note(name, {**at_once, "page": texts(painter)})
            os.kill(os.getpid(), signal.SIGKILL)
        yield from until_noticed(painter, home, pid)
        page = texts(painter)
        yield from painter.shot("%02d_%s" % (number, name.replace(" ", "_")))
        painter.note(name, {**at_once, "page": page, "after": half_installed(home)})
        if offers(painter, "Continue"):
            yield from painter.press("setupButton")
    order(given["index"], bytes_per_second=0)
    yield from until_ready(painter)
    yield from painter.shot("ready")
    yield from painter.menu("referenceAdd", "Reference")
    yield from color(painter, document)
    yield from painter.shot("colored")
    painter.note("layers", [node.name() for node in results(document)[0].childNodes()])


def until_moment(painter, home, moment, pid):
    """Wait for the installer to be where ``moment`` says; without a pause where that lasts only a few milliseconds."""
    if moment["phase"] == "activated":
        yield from painter.until(lambda: at_moment(home, {**moment, "phase": "try_out"}, pid), 120, moment["name"])
        end, record = time.monotonic() + 60, Path(home) / "program" / "installation.json"
        while not record.exists() and time.monotonic() < end:
            time.sleep(0.0005)
    else:
        yield from painter.until(lambda: at_moment(home, moment, pid), 120, moment["name"], step=0.01)


def until_noticed(painter, home, pid):
    """Wait for the docker to notice that the installer ``pid`` is gone: another one runs, or it offers to continue."""
    goes_on = lambda: progress(home).get("pid") not in (None, 0, pid)  # noqa: E731
    yield from painter.until(
        lambda: goes_on() or ready(painter) or offers(painter, "Continue"), 60, "the docker to see the end"
    )
