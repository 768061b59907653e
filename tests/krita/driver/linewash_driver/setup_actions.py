"""What a painter sees and does while the docker sets the backend up, and what may happen to the processes meanwhile."""

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .backend_processes import family, send
from .painter import GaveUp, Painter
from .qt import QAbstractButton, QLabel, QMessageBox, QWidget

Steps = Iterator[float]
TEXTS = ("setupTitle", "setupText", "setupMessage", "setupSentence", "setupCount")
BUTTONS = ("setupButton", "setupOther")


def seen(painter: Painter, name: str) -> bool:
    """Whether the docker shows its widget of that name."""
    widget = painter.dock().findChild(QWidget, name)
    return widget is not None and not widget.visibleRegion().isEmpty()


def texts(painter: Painter) -> "dict[str, str]":
    """What the set-up page says."""
    said = {name: painter.widget(name, QLabel).text() for name in TEXTS if seen(painter, name)}
    return {**said, **{name: painter.widget(name, QAbstractButton).text() for name in BUTTONS if seen(painter, name)}}


def offers(painter: Painter, text: str) -> bool:
    """Whether the page offers a button of that text."""
    return texts(painter).get("setupButton") == text and bool(painter.widget("setupButton").isEnabled())


def ready(painter: Painter) -> bool:
    """Whether the docker shows the painter's rows."""
    return seen(painter, "color")


def until_ready(painter: Painter, seconds: float = 120.0) -> Steps:
    """Wait until the backend is set up; GaveUp, with what the page says, when it fails."""
    end = time.monotonic() + seconds
    while not ready(painter):
        if time.monotonic() > end or texts(painter).get("setupMessage"):
            raise GaveUp("the set-up does not end: %s" % texts(painter))
        yield 0.1


def until_page(painter: Painter, button: str, seconds: float = 60.0) -> Steps:
    """Wait until the page offers a button of that text."""
    end = time.monotonic() + seconds
    while not offers(painter, button):
        if time.monotonic() > end:
            raise GaveUp("waited %g s for %r; the page says %s" % (seconds, button, texts(painter)))
        yield 0.05


def progress(home: str) -> "dict[str, Any]":
    """What the installer has written last, {} before that; ``pid`` 0 when it was Krita itself."""
    try:
        found: dict[str, Any] = json.loads((Path(home) / "setup" / "progress.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {**found, "pid": 0} if found["pid"] == os.getpid() else found


def fraction(found: "dict[str, Any]") -> float:
    """Part of the phase that is done, 0..1."""
    return found["done_bytes"] / found["total_bytes"] if found.get("total_bytes") else 0.0


def at_moment(home: str, moment: "dict[str, Any]", pid_before: int = 0) -> bool:
    """Whether an installer, another than ``pid_before``, is where ``moment`` says: phase, part of it, words of its sentence."""
    found = progress(home)
    return (
        found.get("state") == "running"
        and found["pid"] not in (0, pid_before)
        and found["phase"] == moment["phase"]
        and fraction(found) >= moment.get("fraction", 0.0)
        and moment.get("words", "") in found["sentence"]
        and file_count(home) >= moment.get("files", 0)
    )


def file_count(home: str) -> int:
    """How many files of the largest tiny package are unpacked."""
    return sum(1 for _ in Path(home).glob("program/environments/*/lib/*/site-packages/many/part*.py"))


def kill_installer(home: str) -> None:
    """Kill the installer and all that it has started."""
    send(family(progress(home)["pid"]), signal.SIGKILL)


def half_installed(home: str) -> "dict[str, Any]":
    """What could be started, or has been, of a backend that is not whole: the record and the servers of ``home``."""
    servers = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it ended while we looked
            continue
        if b"serve" in words and home.encode() in words:
            servers.append(int(folder.name))
    return {"record": (Path(home) / "program" / "installation.json").exists(), "servers": servers}


def order(index: str, **faults: Any) -> None:
    """Tell the test's package index how to misbehave."""
    request = urllib.request.Request(index + "/control", json.dumps(faults).encode(), method="PUT")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10):
        pass


def agree(painter: Painter, title: str) -> Steps:
    """Choose an entry of the docker's small menu and agree to the question, with the mouse."""
    painter.expects_dialog = True
    yield from painter.menu("setupMenu", title)
    find: Callable[[], Any] = lambda: painter.window().findChild(QMessageBox, "setupQuestion")  # noqa: E731
    yield from painter.until(lambda: find() is not None and find().isVisible(), 30, "the question")
    yield 0.5
    yield from painter.shot("question_" + title.split()[0].lower())
    (button,) = [each for each in find().buttons() if each.text().replace("&", "") == title.split()[0]]
    yield from painter.click(button)
    yield from painter.until(lambda: find() is None or not find().isVisible(), 30, "the question to close")
    painter.expects_dialog = False
