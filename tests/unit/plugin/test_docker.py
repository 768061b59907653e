"""The docker as a painter meets it, with a stand-in for Krita and for the backend."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from PyQt6.QtCore import QMimeData, QPointF, Qt, QUrl
from PyQt6.QtGui import QDropEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QWidget

from tests.unit.plugin.backend import Backend
from tests.unit.plugin.conftest import ink, paint, state_of, tree


class Bench:
    """A docker with its studio and backend."""

    def __init__(self, plugin: Any, krita: Any) -> None:
        self.plugin, self.krita = plugin, krita
        self.backend = Backend(plugin)
        self.host = plugin.host.Host()
        self.studio = plugin.studio.Studio(self.host, self.backend, self.backend.client)
        self.docker = plugin.docker.LinewashDocker(self.studio)
        self.docker.resize(262, 400)
        self.docker.show()

    def widget(self, name: str) -> Any:
        found = self.docker.findChild(QWidget, name)
        assert found is not None, name
        return found

    def says(self) -> str:
        return str(self.widget("status").text())

    def click(self, name: str) -> None:
        QTest.mouseClick(self.widget(name), Qt.MouseButton.LeftButton)

    def until(self, condition: Callable[[], Any], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "waited too long; the docker says %r" % self.says()
            QTest.qWait(5)

    def idle(self) -> bool:
        return bool(self.widget("colour").isEnabled())

    def pick(self, name: str, text: str) -> None:
        box = self.widget(name)
        box.setCurrentIndex([box.itemText(i) for i in range(box.count())].index(text))

    def drop(self, path: Path) -> None:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        event = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys)
        self.widget("reference").dropEvent(event)

    def add_layer(self, name: str) -> None:
        self.click("referenceAdd")
        menu = self.docker._panel.reference_menu
        next(action for action in menu.actions() if action.text() == name).trigger()
        menu.close()


@pytest.fixture
def bench(plugin: Any, krita: Any) -> Iterator[Bench]:
    made = Bench(plugin, krita)
    yield made
    made.studio.end()
    made.until(lambda: not made.studio._threads)
    made.docker.deleteLater()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "reference.png"
    cv2.imwrite(str(path), paint(30, 40))
    return path


@pytest.fixture
def document(paper: Any, bench: Bench) -> Any:
    made = paper.document()
    paper.add(made, "Colours", paint())
    made.setActiveNode(paper.add(made, "Ink", ink()))
    bench.docker.canvasChanged(None)
    QTest.qWait(5)
    return made


def test_without_a_picture(bench: Bench) -> None:
    assert bench.says() == "Open a line drawing to begin."
    bench.click("colour")
    assert bench.says() == "No picture is open. Open a line drawing first."


def test_the_first_look(bench: Bench, document: Any) -> None:
    box = bench.widget("lines")
    assert [box.itemText(i) for i in range(box.count())] == ["Active layer: Ink", "Ink", "Colours", "Background"]
    box = bench.widget("foreground")
    texts = [box.itemText(i) for i in range(box.count())]
    assert texts == ["Automatic", "Selection", "Mask layer", "Layer alpha"]
    assert bench.idle() and not bench.widget("cancel").isEnabled()
    assert not bench.widget("foregroundLayer").isVisibleTo(bench.docker)
    assert not bench.widget("progress").isVisibleTo(bench.docker)


def test_colour_without_a_reference_says_so(bench: Bench, document: Any) -> None:
    before = state_of(document)
    bench.click("colour")
    assert bench.says().startswith("There is no reference.") and bench.idle()
    assert state_of(document) == before


def test_the_whole_way(bench: Bench, document: Any, file: Path) -> None:
    bench.drop(file)
    bench.click("colour")
    assert not bench.idle() and bench.widget("cancel").isEnabled()
    bench.until(bench.idle)
    assert bench.says().startswith("Done in")
    seed = bench.backend.request.seed
    group = ("Linewash mini · seed %d" % seed, ["Background", "Foreground"])
    assert tree(document.rootNode()) == ["Background", "Colours", group, "Ink"]
    assert document.undo_texts() == ["Add Layer"]
    bench.until(lambda: "acknowledge" in bench.backend.calls)
    assert threading.get_ident() not in bench.backend.threads


def test_the_preview_of_each_step_is_shown(bench: Bench, document: Any, file: Path) -> None:
    bench.backend.steps, bench.backend.pause_s = 40, 0.02
    bench.drop(file)
    bench.click("colour")
    bench.until(lambda: bench.widget("preview").isVisibleTo(bench.docker))
    bench.until(lambda: 0 < bench.widget("progress").value() < bench.widget("progress").maximum())
    assert "step" in bench.says()
    bench.until(bench.idle)
    assert not bench.widget("progress").isVisibleTo(bench.docker)


def test_a_layer_as_reference_and_the_choices_in_the_request(bench: Bench, document: Any) -> None:
    bench.add_layer("Colours")
    bench.pick("finish", "Flats")
    bench.click("colour")
    bench.until(bench.idle)
    assert bench.backend.request.finish.value == "flats"
    assert set(bench.backend.parts) == {"lines", "reference0"}
    assert bench.krita.Krita.instance().settings[("linewash", "finish")] == "flats"


def test_a_mask_layer_is_chosen_beside_its_kind(bench: Bench, document: Any, file: Path) -> None:
    bench.drop(file)
    bench.pick("foreground", "Layer alpha")
    assert bench.widget("foregroundLayer").isVisibleTo(bench.docker)
    bench.click("colour")
    assert bench.says().startswith("The foreground mask is empty.")
    bench.pick("foregroundLayer", "Colours")
    bench.click("colour")
    bench.until(bench.idle)
    assert bench.backend.request.foreground.value == "mask" and "foreground" in bench.backend.parts


def test_cancel_answers_at_once_and_tells_the_backend(bench: Bench, document: Any, file: Path) -> None:
    bench.backend.steps, bench.backend.pause_s = 10_000, 0.05
    before = state_of(document)
    bench.drop(file)
    bench.click("colour")
    bench.until(lambda: bench.backend.calls.count("status") > 2)
    bench.click("cancel")
    assert bench.idle() and bench.says().startswith("Cancelled.")
    bench.until(bench.backend.cancelled.is_set)
    bench.until(lambda: not bench.studio._threads)
    assert state_of(document) == before


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("connect", "NOT_INSTALLED"),
        ("connect", "VERSION_MISMATCH"),
        ("connect", "BAD_TOKEN"),
        ("submit", "QUEUE_FULL"),
        ("submit", "DISK_FULL"),
        ("status", "BACKEND_GONE"),
        ("job", "MODEL_CORRUPT"),
        ("job", "WORKER_CRASHED"),
        ("layer foreground", "JOB_UNKNOWN"),
    ],
)
def test_whatever_fails_is_said_and_the_next_run_works(bench: Bench, document: Any, file: Path, call: str, code: str) -> None:
    bench.backend.fail = {call: code}
    before = state_of(document)
    bench.drop(file)
    bench.click("colour")
    bench.until(bench.idle)
    row = bench.backend.errors.ERRORS[bench.backend.errors.ErrorCode[code]]
    assert bench.says() == "%s %s" % (row.message, row.hint)
    assert state_of(document) == before and "acknowledge" not in bench.backend.calls
    bench.backend.fail = {}
    bench.click("colour")
    bench.until(bench.idle)
    assert bench.says().startswith("Done in")


def test_the_result_goes_to_the_picture_that_asked(bench: Bench, document: Any, file: Path, paper: Any) -> None:
    bench.backend.steps, bench.backend.pause_s = 20, 0.02
    bench.drop(file)
    bench.click("colour")
    other = paper.document(64, 64)
    bench.docker.canvasChanged(None)
    bench.until(bench.idle)  # the other picture is free
    assert bench.widget("reference").count() == 0
    before = state_of(other)
    bench.until(lambda: "acknowledge" in bench.backend.calls)
    assert any(node.name().startswith("Linewash") for node in document.topLevelNodes())
    assert state_of(other) == before
    bench.krita.Krita.instance().front = document
    bench.docker.canvasChanged(None)
    bench.until(lambda: bench.says().startswith("Done in"))
    assert bench.widget("reference").count() == 1


def test_a_picture_closed_meanwhile(bench: Bench, document: Any, file: Path, paper: Any) -> None:
    bench.backend.steps, bench.backend.pause_s = 10_000, 0.05
    bench.drop(file)
    bench.click("colour")
    bench.until(lambda: "status" in bench.backend.calls)
    document.close()
    other = paper.document()
    before = state_of(other)
    bench.until(lambda: bench.says().startswith("The picture was closed"))
    bench.until(bench.backend.cancelled.is_set)
    assert state_of(other) == before


def test_a_canvas_resized_meanwhile_keeps_the_result_in_the_backend(bench: Bench, document: Any, file: Path) -> None:
    bench.backend.steps, bench.backend.pause_s = 20, 0.02
    bench.drop(file)
    bench.click("colour")
    bench.until(lambda: "status" in bench.backend.calls)
    document.state.size = (200, 200)
    bench.until(bench.idle)
    assert bench.says().startswith("The canvas changed size")
    assert "acknowledge" not in bench.backend.calls and "cancel" not in bench.backend.calls


def test_colour_again_while_looking_at_the_result_takes_the_same_lines(bench: Bench, document: Any, file: Path) -> None:
    bench.drop(file)
    bench.click("colour")
    bench.until(bench.idle)
    document.setActiveNode(document.topLevelNodes()[2].childNodes()[1])
    bench.docker.refresh()
    assert bench.widget("lines").currentText() == "Active layer: Ink"
    bench.click("colour")
    bench.until(bench.idle)
    assert [node.name().split(" ")[0] for node in document.topLevelNodes()][2:] == ["Linewash", "Linewash", "Ink"]


def test_references_are_switched_and_taken_out(bench: Bench, document: Any, file: Path) -> None:
    bench.drop(file)
    bench.drop(file)
    shown = bench.widget("reference")
    assert shown.count() == 1  # the same file twice is one reference
    cell = shown.visualItemRect(shown.item(0))
    QTest.mouseClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=cell.center())
    assert [reference.used for reference in shown.references()] == [False]
    bench.click("colour")
    assert bench.says().startswith("There is no reference.")
    reference_list = __import__("sys").modules["linewash.widgets.reference_list"]
    QTest.mouseClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=reference_list.cross(cell).center())
    assert shown.count() == 0


def test_more_than_eight_references_are_refused(bench: Bench, document: Any, tmp_path: Path) -> None:
    for number in range(9):
        bench.drop(tmp_path / ("%d.png" % number))
    assert bench.widget("reference").count() == 8
    assert bench.says().startswith("There are too many references.")


def test_a_deleted_layer_leaves_the_lists(bench: Bench, document: Any) -> None:
    bench.add_layer("Colours")
    bench.pick("lines", "Ink")
    document.topLevelNodes()[1].remove()
    bench.docker.refresh()
    assert bench.widget("reference").count() == 0
    assert bench.widget("lines").currentText() == "Ink"


def test_krita_ends_while_a_job_runs(bench: Bench, document: Any, file: Path) -> None:
    bench.backend.steps, bench.backend.pause_s = 10_000, 0.05
    bench.drop(file)
    bench.click("colour")
    bench.until(lambda: "status" in bench.backend.calls)
    bench.studio.end()
    assert not [thread for thread in bench.studio._threads if thread.isRunning()]
    assert bench.backend.cancelled.is_set()
