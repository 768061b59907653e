"""What ``test_two_windows.py`` judges, with all kinds of events handled inside each of Krita's calls that handle any."""

import pytest

from tests.krita.harness.art import Art
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.scenario_player import ScenarioPlayer
from tests.krita.test_two_windows import (
    test_first_window_works_on_after_the_second_was_closed,
    test_floating_docker_works,
    test_second_windows_docker_works,
)

pytestmark = [pytest.mark.krita, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def seen(player: ScenarioPlayer, small_art: Art) -> Evidence:
    files = {"lines": str(small_art.lines), "reference": str(small_art.reference)}
    return player.play("two_windows", {"size": (333, 257), **files}, name="two_windows_in_a_storm", event_storm=True)


def test_the_storm_raged_inside_kritas_calls(seen: Evidence) -> None:
    assert seen.result is not None
    assert min(seen.result["storm"].values()) > 20, seen.result["storm"]


__all__ = [
    "test_first_window_works_on_after_the_second_was_closed",
    "test_floating_docker_works",
    "test_second_windows_docker_works",
]
