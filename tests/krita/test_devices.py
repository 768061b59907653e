"""The row Runs on: shown, changed, kept when the backend has ended, and true when a card fails."""

import json

import pytest

from shared.devices.device_status import SLOWER
from shared.paths import models_dir, settings_file
from tests.krita.harness import backend
from tests.krita.harness.art import Art
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.scenario_player import ScenarioPlayer
from tests.krita.harness.two_cards import CARDS, DEVICES, HINT

pytestmark = [pytest.mark.krita, pytest.mark.timeout(1200)]
TWO_CARDS = {"LINEWASH_REGISTRY": "tests.krita.harness.two_cards"}
TITLES = [device.title for device in DEVICES]


@pytest.fixture(scope="module")
def seen(player: ScenarioPlayer, small_art: Art) -> tuple[Evidence, Evidence]:
    home = player.root / "devices"
    models_dir(home).mkdir(parents=True)
    given = {"size": (333, 257), "lines": str(small_art.lines), "reference": str(small_art.reference)}
    fault = str(models_dir(home) / "card_failed")
    first = player.play("devices", {**given, "fault": fault, "kept": ""}, home, TWO_CARDS)
    assert backend.end(home)
    second = player.play("devices", {**given, "fault": fault, "kept": CARDS[1].title}, home, TWO_CARDS, name="devices_kept")
    assert json.loads(settings_file(home).read_text()) == {"device": CARDS[1].name}
    return first, second


def test_the_row_comes_with_the_backend(seen: tuple[Evidence, Evidence]) -> None:
    assert seen[0]["before"] is False
    automatic = seen[0]["automatic"]
    assert automatic["entries"] == [f"Automatic: {TITLES[0]}", *TITLES, "An AMD card (not used)"]
    assert automatic["shown"] == f"Automatic: {TITLES[0]}" and HINT in automatic["tip"] and automatic["usable"]


def test_another_device_can_be_chosen(seen: tuple[Evidence, Evidence]) -> None:
    assert seen[0]["changed"]["shown"] == CARDS[1].title


def test_it_is_kept_when_krita_and_the_backend_have_ended(seen: tuple[Evidence, Evidence]) -> None:
    assert seen[1]["kept"]["shown"] == CARDS[1].title


def test_a_card_that_fails_is_replaced_by_the_processor_and_the_docker_says_so(seen: tuple[Evidence, Evidence]) -> None:
    assert seen[0]["failed"]["shown"] == TITLES[2]
    assert CARDS[1].title in seen[0]["says"] and SLOWER in seen[0]["says"]
