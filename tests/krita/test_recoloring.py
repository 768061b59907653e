"""Hints are exact after the whole way through Krita, and a selection colored anew leaves every byte outside as it was."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.krita.harness.art import Art
from tests.krita.harness.compare import groups, layers, read_png, untouched
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.scenario_player import ScenarioPlayer

pytestmark = [pytest.mark.krita, pytest.mark.core, pytest.mark.timeout(1200)]
SIZE = (333, 257)
SPACES = ("U8", "U16")
HINT = (20, 200, 90)
SPOT = (20, 60)
"""In the sky, which is one region."""
GRASS, SUN = (20, 240), (60, 51)
BOX = (60, 60, 150, 120)
AT = (100, 30)


@pytest.fixture(scope="module")
def seen(player: ScenarioPlayer, small_art: Art, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    folder = tmp_path_factory.mktemp("spots")
    hints = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    cv2.circle(hints, SPOT, 5, (*HINT[::-1], 255), -1)
    over = np.random.default_rng(5).integers(0, 256, (120, 90, 4)).astype(np.uint8)
    for name, image in (("hints", hints), ("over", over)):
        cv2.imwrite(str(folder / f"{name}.png"), image)
    given = {"size": SIZE, "lines": str(small_art.lines), "reference": str(small_art.reference)}
    files = {"hints": str(folder / "hints.png"), "over": str(folder / "over.png")}
    return player.play("recoloring", {**given, **files, "at": AT, "box": BOX, "spaces": SPACES})


def _raw(seen: Evidence, name: str, space: str) -> np.ndarray:
    data = np.frombuffer(Path(seen.out / f"{name}.raw").read_bytes(), np.uint8)
    return data.reshape(SIZE[1], SIZE[0], 4 if space == "U8" else 8)


def _selected() -> np.ndarray:
    left, top, width, height = BOX
    mask = np.zeros(SIZE[::-1], np.bool_)
    mask[top - 2 : top + height + 2, left - 2 : left + width + 2] = True
    return mask


@pytest.mark.parametrize("space", SPACES)
def test_a_hint_is_exact_in_its_region(seen: Evidence, small_art: Art, space: str) -> None:
    found = seen.pixels(f"{space}_hinted_Background.bgra", SIZE)
    ink = read_png(small_art.lines)[..., 3]
    background = cv2.erode((ink == 0).astype(np.uint8), np.ones((5, 5), np.uint8))
    background[:, SIZE[0] // 3 - 3 :] = 0  # there the swatches' foreground begins
    _, parts = cv2.connectedComponents(background, connectivity=4)
    sky = parts == parts[SPOT[1], SPOT[0]]
    assert sky.sum() > 2000
    assert (found[sky] == (*HINT, 255)).all()
    for elsewhere in (GRASS, SUN):
        assert tuple(found[elsewhere[1], elsewhere[0]]) != (*HINT, 255)


@pytest.mark.parametrize("space", SPACES)
def test_the_hints_layer_is_not_taken_for_the_lines(seen: Evidence, space: str) -> None:
    assert seen[f"{space}_lines"] == "Automatic: Lines"


@pytest.mark.parametrize("space", SPACES)
def test_recoloring_leaves_every_byte_outside_the_selection(seen: Evidence, space: str) -> None:
    outside = ~_selected()
    changed = 0
    for name in ("Foreground", "Background"):
        before, after = (_raw(seen, f"{space}_{when}_{name}", space) for when in ("painted", "recolored"))
        assert np.array_equal(before[outside], after[outside]), name
        changed += int((before[~outside] != after[~outside]).any(-1).sum())
    assert changed > 2000


@pytest.mark.parametrize("space", SPACES)
def test_it_is_one_new_group_and_nothing_else_changed(seen: Evidence, space: str) -> None:
    before, after = seen[f"{space}_painted"], seen[f"{space}_recolored"]
    assert untouched(before["snapshot"], after["snapshot"])
    assert len(groups(after["snapshot"])) == len(groups(before["snapshot"])) + 1
    assert after["group"].endswith(" flats, selection · mini") and after["says"].startswith("Done in")
    new = next(group for group in groups(after["snapshot"]) if group["name"] == after["group"])
    assert [child["name"] for child in new["children"]] == ["Background", "Foreground", "Shading"]
    assert {child["space"][1] for child in new["children"]} == {space}


@pytest.mark.parametrize("space", SPACES)
def test_one_undo_takes_it_back(seen: Evidence, space: str) -> None:
    undone, before = seen[f"{space}_undone"], seen[f"{space}_painted"]["snapshot"]
    assert [layer["sha256"] for layer in layers(undone)] == [layer["sha256"] for layer in layers(before)]
    assert undone["merged"] == before["merged"]


@pytest.mark.parametrize("space", SPACES)
def test_without_a_selection_it_says_so(seen: Evidence, space: str) -> None:
    assert seen[f"{space}_unselected"].startswith("Nothing is selected to recolor.")


@pytest.mark.parametrize("space", SPACES)
def test_window_never_stalls(seen: Evidence, space: str) -> None:
    assert seen[f"{space}_stall"]["own"] < 0.100, seen[f"{space}_stall"]
