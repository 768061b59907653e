"""More than one docker: a floating one, and that of a second window which is closed again."""

import pytest

from tests.krita.harness.art import Art
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.scenario_player import ScenarioPlayer

pytestmark = [pytest.mark.krita, pytest.mark.core, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def seen(player: ScenarioPlayer, small_art: Art) -> Evidence:
    files = {"lines": str(small_art.lines), "reference": str(small_art.reference)}
    return player.play("two_windows", {"size": (333, 257), **files})


def test_floating_docker_works(seen: Evidence) -> None:
    assert seen["floating"] == 1


def test_second_windows_docker_works(seen: Evidence) -> None:
    assert seen["second"] == 2


def test_first_window_works_on_after_the_second_was_closed(seen: Evidence) -> None:
    """An exception in a slot of the closed window's docker would have failed the scenario."""
    assert seen["after"] == 3
    assert "Done" in seen["says"]
