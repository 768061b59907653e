"""Where lines may lie: the drawing stays untouched, the colors lie directly under it or, under ink on paper, multiplied."""

import numpy as np
import pytest

from tests.krita.harness.art import Art
from tests.krita.harness.compare import Snapshot, groups, layers, over, read_png, untouched
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.scenario_player import ScenarioPlayer

pytestmark = [pytest.mark.krita, pytest.mark.timeout(1200)]
SIZE = (333, 257)
SCANS = ("scan", "scan_alone")
KINDS = (*SCANS, "painting", "lowest", "in_group", "group_itself", "offset", "vector", "hidden_neighbors", "dimmed", "hidden")
TRANSPARENT = tuple(kind for kind in KINDS if kind not in (*SCANS, "painting"))


@pytest.fixture(scope="module")
def seen(player: ScenarioPlayer, small_art: Art) -> Evidence:
    names = ("lines", "reference", "scan", "painting")
    files = {name: str(getattr(small_art, name)) for name in names}
    return player.play("kinds_of_lines", {"size": SIZE, **files})


def neighbors(snapshot: Snapshot) -> tuple[str, str]:
    """Names of the layers directly under and above the group of the result."""
    (group,) = groups(snapshot)
    siblings = next(s for s in [snapshot["layers"], *(x["children"] for x in layers(snapshot))] if group in s)
    at = siblings.index(group)
    return (siblings[at - 1]["name"] if at else "", siblings[at + 1]["name"] if at + 1 < len(siblings) else "")


@pytest.mark.parametrize("kind", KINDS)
def test_existing_layers_stay_byte_identical(seen: Evidence, kind: str) -> None:
    assert untouched(seen[kind]["before"], seen[kind]["after"])


@pytest.mark.parametrize("kind", KINDS)
def test_fewest_undo_steps(seen: Evidence, kind: str) -> None:
    """One; at most two where lines are the lowest layer, as a script can put nothing below that without Krita's own action."""
    assert seen[kind]["mark"] == "Deselect"
    assert seen[kind]["undone"] == seen[kind]["before"]
    assert 1 <= seen[kind]["steps"] <= (2 if kind == "lowest" else 1)


@pytest.mark.parametrize(
    ("kind", "above"),
    [
        ("lowest", "Lines"),
        ("in_group", "Lines"),
        ("group_itself", "Ink group"),
        ("offset", "Lines"),
        ("vector", "Lines"),
        ("hidden_neighbors", "Lines"),
        ("dimmed", "Lines"),
        ("hidden", "Lines"),
    ],
)
def test_group_is_directly_under_the_lines(seen: Evidence, kind: str, above: str) -> None:
    assert neighbors(seen[kind]["after"])[1] == above


def test_group_is_in_the_same_group_as_the_lines(seen: Evidence) -> None:
    assert seen["in_group"]["parent"] == "Character"


@pytest.mark.parametrize("kind", SCANS)
def test_ink_on_paper_stays_and_is_multiplied(seen: Evidence, small_art: Art, kind: str) -> None:
    after = seen[kind]["after"]
    (group,) = groups(after)
    assert neighbors(after)[0] == "Scan"
    assert group["blending"] == "multiply"
    shown = seen.pixels(f"{kind}_after.bgra", SIZE)[..., :3]
    drawn = seen.pixels(f"{kind}_before.bgra", SIZE)[..., :3]
    lines = read_png(small_art.lines)[..., 3]
    assert shown[lines == 255].max() <= 2, "black lines must stay black"
    paper = shown[lines == 0]
    assert (paper != drawn[lines == 0]).any(axis=-1).mean() > 0.8, "the paper must be colored"


def test_lines_of_a_painting_lie_on_the_colors_above_it(seen: Evidence, small_art: Art) -> None:
    after = seen["painting"]["after"]
    (group,) = groups(after)
    assert neighbors(after) == ("Painting", "Notes above")
    assert group["blending"] == "normal" and [layer["name"] for layer in group["children"]] == [
        "Background",
        "Foreground",
        "Lines",
    ]
    shown, drawn = (seen.pixels(f"painting_{when}.bgra", SIZE)[..., :3].astype(np.int16) for when in ("after", "before"))
    lines = read_png(small_art.lines)[..., 3]
    assert (shown[lines == 255].max(axis=-1) < 100).mean() > 0.9, "its lines are there"
    assert (shown != drawn)[lines == 0].any(axis=-1).mean() > 0.8, "its colors are not"
    assert (shown > drawn + 8)[lines == 0].any(axis=-1).mean() > 0.1, "multiplied, nothing would be lighter"


@pytest.mark.parametrize("kind", [kind for kind in TRANSPARENT if kind not in ("dimmed", "hidden")])
def test_lines_show_above_the_colors(seen: Evidence, small_art: Art, kind: str) -> None:
    paper = np.full((SIZE[1], SIZE[0], 4), 255, np.uint8)
    shown = seen.pixels(f"{kind}_after.bgra", SIZE)[..., :3].astype(np.int16)
    drawn = over(seen.pixels(f"{kind}_before.bgra", SIZE), paper)[..., :3]
    ink = drawn.max(axis=-1) == 0
    assert ink.sum() > 200
    assert shown[ink].max() <= 2
    white = drawn.min(axis=-1) == 255
    assert (shown[white] != 255).any(axis=-1).mean() > 0.5, "the paper must be colored"
