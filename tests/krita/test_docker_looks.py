"""How the docker looks in a light and a dark theme, on an ordinary screen and on one of twice the density.

The images are in ``artifacts/krita/docker_looks_*``, to be looked at; docs/krita_versions.md shows those of four Kritas.
"""

import pytest

from tests.krita.harness.art import Art
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.scenario_player import ScenarioPlayer, play_docker_looks

pytestmark = [pytest.mark.krita, pytest.mark.timeout(1200)]
LOOKS = ("light", "dark")


@pytest.fixture(scope="module", params=[1, 2], ids=["1x", "2x"])
def scale(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def seen(player: ScenarioPlayer, small_art: Art, scale: int) -> Evidence:
    return play_docker_looks(player, small_art, scale)


@pytest.mark.parametrize("look", LOOKS)
def test_no_button_is_cut(seen: Evidence, look: str) -> None:
    assert seen[look]["cut"] == []


@pytest.mark.parametrize("look", LOOKS)
def test_docker_is_drawn_as_fine_as_the_screen(seen: Evidence, look: str, scale: int) -> None:
    assert seen[look]["size"][0] == scale * seen[look]["width"]


def test_docker_takes_the_themes_colors(seen: Evidence) -> None:
    assert seen["light"]["brightness"] > 150 > 110 > seen["dark"]["brightness"]
