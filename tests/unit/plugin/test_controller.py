"""Runs from the button to the layers, and all that can happen on the way."""

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.unit.plugin.bench import Bench
from tests.unit.plugin.conftest import state_of, tree


def test_a_whole_round(bench: Bench, document: Any, file: Path) -> None:
    bench.drop(file)
    bench.click("color")
    assert not bench.idle() and bench.widget("cancel").isEnabled()
    bench.until(bench.idle)
    assert bench.says().startswith("Done in")
    seed = bench.backend.request.seed
    group = ("Linewash %d painted · mini" % seed, ["Background", "Foreground"])
    assert tree(document.rootNode()) == ["Background", "Colors", group, "Ink"]
    assert document.undo_texts() == ["Add Layer"]
    bench.until(lambda: "acknowledge" in bench.backend.calls)
    assert threading.get_ident() not in bench.backend.threads


def test_lines_that_were_looked_for_come_on_top_of_the_colors(bench: Bench, document: Any, file: Path) -> None:
    bench.backend.layers = (*bench.backend.protocol.LAYERS, "lines")
    bench.drop(file)
    bench.pick("linesAs", "Colored image")
    bench.click("color")
    bench.until(bench.idle)
    assert bench.says().startswith("Done in")
    group = ("Linewash 0 painted · mini", ["Background", "Foreground", "Lines"])
    assert tree(document.rootNode()) == ["Background", "Colors", "Ink", group]
    assert document.undo_texts() == ["Add Layer"]


def test_the_preview_of_each_step_is_shown(bench: Bench, document: Any, file: Path) -> None:
    bench.backend.steps, bench.backend.pause_s = 40, 0.02
    bench.drop(file)
    bench.click("color")
    bench.until(lambda: bench.widget("preview").isVisibleTo(bench.docker))
    bench.until(lambda: 0 < bench.widget("progress").value() < bench.widget("progress").maximum())
    assert "step" in bench.says()
    bench.until(bench.idle)
    assert not bench.widget("progress").isVisibleTo(bench.docker)


def test_cancel_answers_at_once_and_tells_the_backend(bench: Bench, document: Any, file: Path) -> None:
    bench.backend.steps, bench.backend.pause_s = 10_000, 0.05
    before = state_of(document)
    bench.drop(file)
    bench.click("color")
    bench.until(lambda: bench.backend.calls.count("status") > 2)
    bench.click("cancel")
    assert bench.idle() and bench.says().startswith("Cancelled.")
    bench.until(bench.backend.cancelled.is_set)
    bench.until(lambda: not bench.controller.threads.busy)
    assert state_of(document) == before


def test_cancelled_before_its_first_step_and_begun_again(bench: Bench, document: Any, file: Path) -> None:
    before = state_of(document)
    bench.drop(file)
    bench.click("color")
    bench.click("cancel")
    assert bench.idle() and bench.says().startswith("Cancelled.")
    bench.until(lambda: not bench.controller.loop.tasks and not bench.controller.threads.busy)
    assert state_of(document) == before and bench.backend.request is None
    bench.click("color")
    bench.until(bench.idle)
    assert bench.says().startswith("Done in")


def test_cancelled_while_the_layers_are_read(bench: Bench, document: Any, file: Path) -> None:
    before = state_of(document)
    bench.drop(file)
    document.state.idle = False  # Krita computes, so that reading waits
    bench.click("color")
    bench.until(lambda: bench.says() == "Reading the layers…")
    bench.click("cancel")
    assert bench.idle() and not bench.controller._runs
    document.state.idle = True
    bench.until(lambda: not bench.controller.loop.tasks)
    assert state_of(document) == before and bench.backend.request is None


def test_a_window_closed_while_a_thumbnail_is_read(bench: Bench, document: Any, plugin: Any, monkeypatch: Any) -> None:
    began, go_on = threading.Event(), threading.Event()
    monkeypatch.setattr(plugin.reference_chooser, "file_thumbnail", lambda path: began.set() or go_on.wait(60))
    bench.drop(Path("late.png"))
    bench.until(began.is_set)
    bench.close()
    bench.until(lambda: not bench.controller.loop.tasks)  # others, which look for models and devices, end by themselves
    go_on.set()
    bench.until(lambda: not bench.controller.threads.busy)


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
def test_every_failure_is_shown_and_the_next_job_works(bench: Bench, document: Any, file: Path, call: str, code: str) -> None:
    bench.backend.fail = {call: code}
    before = state_of(document)
    bench.drop(file)
    bench.click("color")
    bench.until(bench.idle)
    row = bench.backend.errors.ERRORS[bench.backend.errors.ErrorCode[code]]
    assert bench.says() == "%s %s" % (row.message, row.hint)
    assert state_of(document) == before and "acknowledge" not in bench.backend.calls
    bench.backend.fail = {}
    bench.click("color")
    bench.until(bench.idle)
    assert bench.says().startswith("Done in")


def test_the_result_goes_to_the_document_that_asked(bench: Bench, document: Any, file: Path, paper: Any) -> None:
    bench.backend.steps, bench.backend.pause_s = 20, 0.02
    bench.drop(file)
    bench.click("color")
    other = paper.document(64, 64)
    bench.docker.canvasChanged(None)
    bench.until(bench.idle)  # the other document is free
    assert bench.widget("reference").count() == 0
    before = state_of(other)
    bench.until(lambda: "acknowledge" in bench.backend.calls)
    assert any(node.name().startswith("Linewash") for node in document.topLevelNodes())
    assert state_of(other) == before
    bench.krita.Krita.instance().front = document
    bench.docker.canvasChanged(None)
    bench.until(lambda: bench.says().startswith("Done in"))
    assert bench.widget("reference").count() == 1


def test_a_document_closed_meanwhile(bench: Bench, document: Any, file: Path, paper: Any) -> None:
    bench.backend.steps, bench.backend.pause_s = 10_000, 0.05
    bench.drop(file)
    bench.click("color")
    bench.until(lambda: "status" in bench.backend.calls)
    document.close()
    other = paper.document()
    before = state_of(other)
    bench.until(lambda: bench.says().startswith("The document was closed"))
    bench.until(bench.backend.cancelled.is_set)
    assert state_of(other) == before


def test_a_canvas_resized_meanwhile_keeps_the_result_in_the_backend(bench: Bench, document: Any, file: Path) -> None:
    bench.backend.steps, bench.backend.pause_s = 20, 0.02
    bench.drop(file)
    bench.click("color")
    bench.until(lambda: "status" in bench.backend.calls)
    document.state.size = (200, 200)
    bench.until(bench.idle)
    assert bench.says().startswith("The canvas changed size")
    assert "acknowledge" not in bench.backend.calls and "cancel" not in bench.backend.calls


def test_krita_ends_while_a_job_runs(bench: Bench, document: Any, file: Path) -> None:
    bench.backend.steps, bench.backend.pause_s = 10_000, 0.05
    bench.drop(file)
    bench.click("color")
    bench.until(lambda: "status" in bench.backend.calls)
    bench.controller.shut_down()
    assert not bench.controller.threads.busy
    assert bench.backend.cancelled.is_set()


def test_a_window_closed_while_a_job_runs(bench: Bench, document: Any, file: Path) -> None:
    bench.backend.steps, bench.backend.pause_s = 20, 0.02
    bench.drop(file)
    bench.click("color")
    bench.until(lambda: "status" in bench.backend.calls)
    bench.close()
    bench.until(lambda: "acknowledge" in bench.backend.calls)
    assert any(node.name().startswith("Linewash") for node in document.topLevelNodes())
