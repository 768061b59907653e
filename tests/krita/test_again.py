"""Colorize pressed a second time: another result beside the first, which stays as it is and comes back with one undo."""

import pytest

from tests.krita.harness.art import Art
from tests.krita.harness.compare import groups, read_png, untouched
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.scenario_player import ScenarioPlayer

pytestmark = [pytest.mark.krita, pytest.mark.core, pytest.mark.timeout(1200)]
SIZE = (333, 257)
KINDS = ("transparent", "scan")


@pytest.fixture(scope="module")
def seen(player: ScenarioPlayer, small_art: Art) -> Evidence:
    names = ("lines", "reference", "scan")
    return player.play("again", {"size": SIZE, **{name: str(getattr(small_art, name)) for name in names}})


@pytest.mark.parametrize("kind", KINDS)
def test_second_result_stands_beside_the_first(seen: Evidence, kind: str) -> None:
    (first,) = groups(seen[kind]["first"])
    both = groups(seen[kind]["second"])
    assert len(both) == 2
    assert first["name"] in [group["name"] for group in both]


def test_first_result_stays_byte_identical_under_transparent_lines(seen: Evidence) -> None:
    assert untouched(seen["transparent"]["first"], seen["transparent"]["second"])


@pytest.mark.parametrize("kind", KINDS)
def test_one_undo_brings_the_first_result_back(seen: Evidence, kind: str) -> None:
    assert seen[f"{kind}_undone"]["merged"] == seen[kind]["first"]["merged"]
    assert seen[f"{kind}_undone"] == seen[kind]["first"]


def test_two_results_on_paper_do_not_darken_each_other(seen: Evidence, small_art: Art) -> None:
    """At most one of them shows: multiplied twice, light colors would turn dark."""
    assert [group["visible"] for group in groups(seen["scan"]["second"])].count(True) == 1
    shown = seen.pixels("scan.bgra", SIZE)[..., :3]
    paper = read_png(small_art.lines)[..., 3] == 0
    assert shown[paper].max(axis=-1).min() > 80
