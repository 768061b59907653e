"""Finished results that found no place, or whose Krita is gone: offered again, brought in, discarded."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.plugin.bench import Bench
from tests.unit.plugin.conftest import state_of, tree

SIZE = (96, 80)


@pytest.fixture
def left(bench: Bench) -> Any:
    """A result in the backend that an earlier Krita has asked for."""
    bench.backend.awake = True
    bench.backend.request = SimpleNamespace(width=SIZE[0], height=SIZE[1], seed=7)
    protocol = bench.backend.protocol
    job = protocol.JobStatus("left", protocol.JobState.DONE, model="mini", seed=7, layers=protocol.LAYERS)
    bench.backend.jobs = [protocol.JobStatus("runs", protocol.JobState.RUNNING), job]
    return job


@pytest.fixture
def patience(plugin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin.jobs.unclaimed_results, "UNCLAIMED_AFTER_S", 0.05)


def offered(bench: Bench) -> bool:
    return bool(bench.widget("unclaimed").isVisibleTo(bench.docker))


def test_a_result_that_lost_its_place_is_brought_in_as_it_is(bench: Bench, document: Any, file: Path) -> None:
    bench.backend.steps, bench.backend.pause_s = 20, 0.02
    bench.drop(file)
    bench.click("color")
    bench.until(lambda: "status" in bench.backend.calls)
    document.state.size = (200, 200)
    assert not offered(bench)
    bench.until(bench.idle)
    assert bench.says().startswith("The canvas changed size") and offered(bench)
    bench.click("bringIn")
    bench.until(bench.idle)
    assert bench.says() == "Brought in · mini · seed 0. It is 96 × 80 and lies in the upper left corner."
    assert tree(document.rootNode())[2:] == [("Linewash 0 · mini", ["Background", "Foreground"]), "Ink"]
    assert document.undo_texts() == ["Add Layer"] and not offered(bench)
    bench.until(lambda: "acknowledge" in bench.backend.calls)


def test_what_a_krita_that_is_gone_had_asked_for_is_offered(bench: Bench, patience: None, left: Any, document: Any) -> None:
    bench.until(lambda: offered(bench))
    bench.click("bringIn")
    bench.until(bench.idle)
    assert bench.says() == "Brought in · mini · seed 7."
    assert ("Linewash 7 · mini", ["Background", "Foreground"]) in tree(document.rootNode())
    bench.until(lambda: bench.backend.calls.count("jobs") > 1)
    assert not offered(bench)  # though this backend still lists it


def test_what_another_krita_may_be_just_fetching_is_not_offered(bench: Bench, left: Any, document: Any) -> None:
    bench.until(lambda: "jobs" in bench.backend.calls)
    bench.until(lambda: not bench.controller.threads.busy)
    assert not offered(bench)


def test_it_can_be_discarded(bench: Bench, patience: None, left: Any, document: Any) -> None:
    bench.until(lambda: offered(bench))
    before = state_of(document)
    bench.click("discard")
    assert not offered(bench)
    bench.until(lambda: "acknowledge" in bench.backend.calls)
    assert state_of(document) == before


def test_what_the_backend_has_forgotten_is_offered_no_more(bench: Bench, patience: None, left: Any, document: Any) -> None:
    bench.until(lambda: offered(bench))
    bench.backend.fail, bench.backend.jobs = {"layer foreground": "JOB_UNKNOWN"}, []
    bench.click("bringIn")
    bench.until(bench.idle)
    assert bench.says().startswith("That result is no longer available.")
    bench.until(lambda: not offered(bench))


def test_without_lines_it_stays_where_it_is(bench: Bench, patience: None, left: Any, document: Any) -> None:
    bench.until(lambda: offered(bench))
    for node in document.topLevelNodes():
        node.remove()
    bench.docker.refresh()
    bench.click("bringIn")
    assert bench.says().startswith("There is no line layer.") and offered(bench)


def test_another_krita_has_twenty_seconds_to_fetch_its_result(plugin: Any) -> None:
    assert plugin.jobs.unclaimed_results.UNCLAIMED_AFTER_S == 20.0
