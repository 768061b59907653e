"""Krita quit while a drawing is being colored: nothing hangs, nothing crashes, the backend lives on and can be ended."""

import os
import signal
from pathlib import Path

import pytest

from tests.krita.harness import backend
from tests.krita.harness.art import Art
from tests.krita.harness.processes import marked, wait_until
from tests.krita.harness.scenario_player import ScenarioPlayer

pytestmark = [pytest.mark.krita, pytest.mark.timeout(1200)]


@pytest.mark.parametrize("stage", ["starting", "working"])
def test_krita_ends_and_leaves_nothing_hanging(player: ScenarioPlayer, small_art: Art, stage: str) -> None:
    home: Path = player.root / f"quit {stage}"
    files = {"lines": str(small_art.lines), "reference": str(small_art.reference)}
    parameters = {"size": (333, 257), "home": str(home), "stage": stage, **files}
    try:
        seen = player.play("quitting", parameters, home, name=f"quitting_{stage}")
    finally:
        for pid in marked(player.run, str(home)) | marked(player.run, "multiprocessing"):
            os.kill(pid, signal.SIGCONT)
    assert seen["busy"]
    assert seen.exit_code == 0, seen.log[-2000:]
    assert "Fatal" not in seen.log
    assert not marked(player.run, "krita --nosplash")
    wait_until(lambda: backend.running(home) is not None, 60)  # it may still be starting
    assert backend.end(home)
    assert wait_until(lambda: not marked(player.run, str(home)), 15)
