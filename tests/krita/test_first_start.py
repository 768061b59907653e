"""What the installation leaves a painter with: an enabled plugin and a docker that is there, whole, and says what to do."""

import pytest

from tests.krita.harness.scenario_player import ScenarioPlayer

pytestmark = [pytest.mark.krita, pytest.mark.core, pytest.mark.timeout(1200)]
WIDGETS = ["lines", "reference", "referenceAdd", "foreground", "finish", "color", "cancel", "progress", "status"]
"""The names that any outside test may rely on."""


def test_docker_is_visible_with_the_first_document_of_a_fresh_profile(player: ScenarioPlayer) -> None:
    """Krita hides every docker on its welcome page since 5.2, and those of new plugins afterwards, too."""
    assert "linewash" in player.first["dockers"]
    assert player.first["title"] == "Linewash"
    assert player.first["visible"]


def test_widgets_carry_their_names_and_have_room(player: ScenarioPlayer) -> None:
    """Even in the small window that Krita opens at its first start; the progress bar is there only while something runs."""
    assert player.first["widgets"] == WIDGETS
    assert player.first["seen"] == [name for name in WIDGETS if name != "progress"]


def test_docker_says_how_to_begin(player: ScenarioPlayer) -> None:
    assert player.first["says"] == "Open a line drawing to begin."


def test_krita_loads_every_plugin_without_complaint(player: ScenarioPlayer) -> None:
    assert "Could not import" not in player.first.log
    assert "Traceback" not in player.first.log
