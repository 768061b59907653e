"""Where the foreground mask comes from, as a painter chooses it in the docker."""

import cv2
import numpy as np
import pytest

from tests.krita.harness.art import Art
from tests.krita.harness.compare import read_png, untouched
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.scenario_player import ScenarioPlayer

pytestmark = [pytest.mark.krita, pytest.mark.core, pytest.mark.timeout(1200)]
SIZE = (333, 257)
BY_MASK = ("selection", "mask", "alpha")
KINDS = ("automatic", *BY_MASK)


@pytest.fixture(scope="module")
def seen(player: ScenarioPlayer, small_art: Art) -> Evidence:
    names = ("lines", "reference", "mask", "cutout")
    return player.play("foregrounds", {"size": SIZE, **{name: str(getattr(small_art, name)) for name in names}})


@pytest.mark.parametrize("kind", KINDS)
def test_existing_layers_and_selection_stay(seen: Evidence, kind: str) -> None:
    assert untouched(seen[kind]["before"], seen[kind]["after"])


@pytest.mark.parametrize("kind", BY_MASK)
def test_foreground_is_the_mask(seen: Evidence, small_art: Art, kind: str) -> None:
    """To within the width of a line: there the edge may move to the middle of the ink."""
    foreground = read_png(small_art.cutout)[..., 3]
    got = seen.pixels(f"{kind}_Foreground.bgra", SIZE)[..., 3]
    rim = np.ones((9, 9), np.uint8)
    assert got[cv2.erode(foreground, rim) == 255].min() == 255
    assert got[cv2.dilate(foreground, rim) == 0].max() == 0


def test_selection_is_not_given_up(seen: Evidence) -> None:
    assert seen["selection"]["after"]["selection"] != ""


@pytest.mark.parametrize("kind", KINDS)
def test_background_is_complete(seen: Evidence, kind: str) -> None:
    assert seen.pixels(f"{kind}_Background.bgra", SIZE)[..., 3].min() == 255


def test_automatic_finds_a_figure(seen: Evidence) -> None:
    got = seen.pixels("automatic_Foreground.bgra", SIZE)[..., 3]
    assert 0.05 < (got > 127).mean() < 0.95
