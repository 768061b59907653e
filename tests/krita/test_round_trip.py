"""The whole path once, at 1024 x 1024: a click on Colorize in the real Krita, a real backend, two layers under the lines."""

from dataclasses import dataclass

import numpy as np
import pytest

from backend.imaging.types import Rgba
from shared.paths import jobs_dir
from tests.krita.harness.art import Art
from tests.krita.harness.compare import groups, layers, over, read_png, untouched, worst
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.keeper import Keeper
from tests.krita.harness.scenario_player import TRAINED, ScenarioPlayer

pytestmark = [pytest.mark.krita, pytest.mark.core, pytest.mark.timeout(1200)]
SIZE = (1024, 1024)


@dataclass(frozen=True)
class Round:
    """What Krita showed, and the images the server had written for it."""

    seen: Evidence
    foreground: Rgba
    background: Rgba
    composite: Rgba


@pytest.fixture(scope="module")
def round_(player: ScenarioPlayer, art: Art) -> Round:
    files = {"lines": str(art.lines), "reference": str(art.reference)}
    home = player.root / "trained"
    with Keeper(jobs_dir(home), player.root / "kept") as keeper:
        seen = player.play("round_trip", {"size": SIZE, **files}, home, model=TRAINED)
    (job,) = keeper.jobs
    images = [read_png(job / f"{name}.png") for name in ("foreground", "background", "composite")]
    return Round(seen, *images)


def test_one_group_directly_under_the_lines(round_: Round) -> None:
    after = round_.seen["after"]
    names = [layer["name"] for layer in after["layers"]]
    (group,) = groups(after)
    assert names == ["Background", "Reference", group["name"], "Lines"]
    assert [child["name"] for child in group["children"]] == ["Background", "Foreground"]
    assert group["name"] == "Linewash 0 painted · mini"
    assert group["blending"] == "normal"


def test_existing_layers_stay_byte_identical(round_: Round) -> None:
    assert untouched(round_.seen["before"], round_.seen["after"])


def test_layers_hold_exactly_what_the_server_sent(round_: Round) -> None:
    for name, sent in (("Foreground", round_.foreground), ("Background", round_.background)):
        got = round_.seen.pixels(f"{name}.bgra", SIZE)
        assert worst(got[..., 3], sent[..., 3]) == 0
        visible = sent[..., 3] > 0
        assert worst(got[visible], sent[visible]) == 0, name


def test_krita_shows_the_servers_composite(round_: Round) -> None:
    assert worst(over(round_.foreground, round_.background), round_.composite) <= 1
    assert worst(round_.seen.pixels("group.bgra", SIZE), round_.composite) <= 1


def test_background_is_complete_behind_the_figure(round_: Round) -> None:
    assert round_.background[..., 3].min() == 255
    behind = round_.seen.pixels("behind.bgra", SIZE)
    assert worst(behind, round_.background) == 0


def test_the_picture_is_colored(round_: Round) -> None:
    shown = round_.composite[..., :3].astype(np.int16)
    assert len(np.unique(round_.composite.reshape(-1, 4), axis=0)) > 4
    assert (shown.max(-1) - shown.min(-1)).mean() > 10


def test_one_undo_takes_everything_back_and_redo_restores_it(round_: Round) -> None:
    seen = round_.seen
    assert seen["undone"] == seen["before"]
    assert [layer["sha256"] for layer in layers(seen["redone"])] == [layer["sha256"] for layer in layers(seen["after"])]
    assert seen["redone"]["merged"] == seen["after"]["merged"]


def test_saved_document_has_the_same_pixels(round_: Round) -> None:
    seen = round_.seen
    assert seen["saved"] is True
    assert [(layer["name"], layer["sha256"]) for layer in layers(seen["reopened"])] == [
        (layer["name"], layer["sha256"]) for layer in layers(seen["redone"])
    ]


def test_painter_can_go_on(round_: Round) -> None:
    assert round_.seen["active"] == "Lines"
    assert round_.seen["modified"] is True


def test_window_never_stalls(round_: Round) -> None:
    """``own`` leaves out the time in which other programs held every core, see ``linewash_driver/stall.py``."""
    stall = round_.seen["stall"]
    assert stall["ticks"] > 50
    assert stall["own"] < 0.100, stall
