"""The docker of a newer release updates the backend, repairs it while a drawing is being colored, and removes it."""

import signal
from pathlib import Path

from linewash_driver import backend_processes
from linewash_driver.docker_actions import arrange, close, color, rest
from linewash_driver.documents import drawing, find, results
from linewash_driver.setup_actions import agree, half_installed, progress, ready, texts, until_page, until_ready


def run(painter):
    given = painter.parameters
    home = given["home"]
    yield from arrange(painter)
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    yield from until_page(painter, "Update")
    yield from painter.shot("update")
    painter.note("offered", texts(painter))
    yield from painter.press("setupButton")
    yield from until_ready(painter)
    yield from painter.menu("referenceAdd", "Reference")
    yield from color(painter, document)
    painter.note("updated", {**half_installed(home), "results": len(results(document))})

    (file,) = Path(home).glob("program/environments/*/lib/*/site-packages/many/part7.py")
    whole = file.read_text()
    file.write_text("x = 3\n")
    pids = yield from frozen_job(painter, home)
    yield from agree(painter, "Repair Linewash")
    yield from painter.until(lambda: "Waiting" in texts(painter).get("setupSentence", ""), 30, "the set-up to wait")
    yield 2.0
    yield from painter.shot("waiting")
    waiting = {"server": backend_processes.server_pid(home), "installer": progress(home)["pid"], "page": texts(painter)}
    waiting["results"] = len(results(document))
    backend_processes.send(pids, signal.SIGCONT)
    yield from painter.until(lambda: len(results(document)) == 2, 60, "the result of the job that was waited for")
    yield from until_ready(painter)
    painter.note("waiting", waiting)
    painter.note("repaired", {"is_whole": file.read_text() == whole, "server": backend_processes.server_pid(home)})
    yield from painter.until(lambda: rest(painter), 30, "the docker to rest")
    yield from color(painter, document)
    painter.note("repaired_results", len(results(document)))

    other = yield from drawing(given["size"], given["lines"], given["reference"])
    yield from painter.menu("referenceAdd", "Reference")
    pids = yield from frozen_job(painter, home)
    find(other, "Lines").remove()
    backend_processes.send(pids, signal.SIGCONT)
    yield from painter.until(lambda: list(Path(home).glob("jobs/*/result")), 60, "a result that has lost its place")
    yield from painter.until(lambda: rest(painter), 30, "the docker to rest")
    yield from close(other)
    own = Path(home) / "models" / "own.safetensors"
    own.parent.mkdir(exist_ok=True)
    own.write_text("a model")
    layers = [node.name() for node in document.topLevelNodes()]
    yield from painter.until(lambda: rest(painter), 30, "the docker to rest")
    yield from agree(painter, "Remove Linewash")
    yield from painter.until(lambda: not ready(painter), 30, "the page")
    yield from painter.shot("removing")
    yield from until_page(painter, "Set Up")
    yield 0.5
    yield from painter.shot("removed")
    painter.note("removed", {**half_installed(home), "page": texts(painter), "left": sorted(left(home))})
    painter.note("document", [layers, [node.name() for node in document.topLevelNodes()]])


def frozen_job(painter, home):
    """Click Colorize while nothing can work, and wait until the job has arrived; what is stopped."""
    pids = backend_processes.below(home)
    backend_processes.send(pids, signal.SIGSTOP)
    jobs = backend_processes.job_count(home)
    yield from painter.press("color")
    yield from painter.until(lambda: backend_processes.job_count(home) > jobs, 60, "the job to reach the backend")
    yield 0.3
    return pids


def left(home):
    """The files in the home, below the names of folders that differ from run to run."""
    for path in Path(home).rglob("*"):
        if path.is_file():
            parts = path.relative_to(home).parts
            yield "/".join(parts if parts[0] != "jobs" else ("jobs", "JOB", *parts[2:]))
