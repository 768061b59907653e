"""Which of Krita's calls handle events: each of them is made in ``event_calls.py``, where a reader is warned."""

import pytest

from tests.krita.harness.art import Art
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.scenario_player import ScenarioPlayer
from tests.unit.house.test_event_calls import EVENT_CALLS

pytestmark = [pytest.mark.krita, pytest.mark.core, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def seen(player: ScenarioPlayer, small_art: Art) -> Evidence:
    files = {"lines": str(small_art.lines), "reference": str(small_art.reference)}
    return player.play("event_calls", {"size": (333, 257), **files})


def test_a_call_that_handles_events_is_made_in_one_place_only(seen: Evidence) -> None:
    """A newer Krita may handle events in more of them; those go into ``event_calls.py`` then."""
    loud = {name for name, handled in seen["calls"] if handled}
    assert loud, "nothing was measured"
    assert loud <= set(EVENT_CALLS)


def test_every_such_call_of_the_plugin_is_measured(seen: Evidence) -> None:
    assert set(EVENT_CALLS) <= {name for name, _ in seen["calls"]} | {"saveAs", "waitForDone"}, "the plugin makes neither"
