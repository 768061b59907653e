"""Krita is quit while a drawing is being colored."""

import signal

from linewash_driver import backend_processes
from linewash_driver.docker_actions import arrange, color, rest
from linewash_driver.documents import drawing


def run(painter):
    given = painter.parameters
    yield from arrange(painter)
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    yield from painter.menu("referenceAdd", "Reference")
    if given["stage"] == "starting":
        yield from painter.press("color")  # the backend is being started
        yield 0.3
    else:
        yield from color(painter, document)
        backend_processes.send(backend_processes.below(given["home"]), signal.SIGSTOP)
        jobs = backend_processes.job_count(given["home"])
        yield from painter.press("color")
        yield from painter.until(lambda: backend_processes.job_count(given["home"]) > jobs, 60, "the job to reach the backend")
    painter.note("busy", not rest(painter))
    painter.note("says", painter.says())
    document.setModified(False)
