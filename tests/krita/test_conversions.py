"""A document that is converted while it is being colored gets its result in the color space that it has then."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from backend.imaging.types import Rgba
from shared.paths import jobs_dir
from tests.krita.harness.art import Art, draw
from tests.krita.harness.compare import groups, layers, read_png, worst
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.keeper import Keeper
from tests.krita.harness.scenario_player import ScenarioPlayer

pytestmark = [pytest.mark.krita, pytest.mark.timeout(1200)]
SIZE, LARGE = (333, 257), (2000, 1500)
BOX = (60, 60, 150, 120)
NAMES = ("Foreground", "Background")
MOMENTS = ("computing", "recoloring", "adding")


@dataclass(frozen=True)
class Session:
    """What Krita showed, and what the backend sent for the last job of each moment."""

    seen: Evidence
    sent: dict[str, Path]

    def layer(self, moment: str, result: int, name: str) -> Rgba:
        """A layer of a result in sRGB, the newest result is 0."""
        return self.seen.pixels(f"{moment}_{result}_{name}.bgra", LARGE if moment == "adding" else SIZE)


@pytest.fixture(scope="module")
def session(player: ScenarioPlayer, small_art: Art, tmp_path_factory: pytest.TempPathFactory) -> Session:
    large = draw(tmp_path_factory.mktemp("large"), LARGE)
    given = {"size": SIZE, "lines": str(small_art.lines), "reference": str(small_art.reference), "home": str(player.home)}
    given |= {"large_size": LARGE, "large_lines": str(large.lines), "large_reference": str(large.reference), "box": BOX}
    with Keeper(jobs_dir(player.home), player.root / "kept_conversions") as keeper:
        seen = player.play("conversions", given)
    _, computing, _, recoloring, adding = keeper.jobs
    return Session(seen, dict(zip(MOMENTS, (computing, recoloring, adding), strict=True)))


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_result_is_in_the_document_s_new_space(session: Session, moment: str) -> None:
    after = session.seen[moment]["after"]
    assert after["space"][1] == "U16"
    assert len(groups(after)) == (2 if moment == "recoloring" else 1)
    for layer in layers(after):
        if layer["type"] == "selectionmask":  # it has no colors
            continue
        assert layer["space"] == after["space"], layer["name"]


def test_the_conversion_really_comes_before_the_layers(session: Session) -> None:
    assert session.seen["adding_began"] == 0


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("name", NAMES)
def test_its_colors_are_those_that_were_sent(session: Session, moment: str, name: str) -> None:
    got, sent = session.layer(moment, 0, name), read_png(session.sent[moment] / f"{name.lower()}.png")
    where = np.zeros(got.shape[:2], bool)
    left, top, width, height = (0, 0, *got.shape[1::-1]) if moment != "recoloring" else BOX
    where[top : top + height, left : left + width] = True
    where &= sent[..., 3] > 0
    assert worst(got[where], sent[where]) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_outside_the_selection_it_is_the_earlier_result_as_krita_converted_it(session: Session, name: str) -> None:
    new, old = session.layer("recoloring", 0, name), session.layer("recoloring", 1, name)
    outside = np.ones(new.shape[:2], bool)
    outside[BOX[1] : BOX[1] + BOX[3], BOX[0] : BOX[0] + BOX[2]] = False
    assert worst(new[outside], old[outside]) == 0
