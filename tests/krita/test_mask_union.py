"""Several masks become one foreground, alone and with what is found; the docker shows their union before."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.krita.harness.art import Art, draw
from tests.krita.harness.compare import untouched
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.scenario_player import ScenarioPlayer

pytestmark = [pytest.mark.krita, pytest.mark.core, pytest.mark.timeout(1200)]
SIZES = {"U8": (2400, 1800), "U16": (333, 257)}
SPACES = tuple(SIZES)
FIGURES = {"Left figure": (0.15, 0.25), "Right figure": (0.88, 0.6)}
"""Where they are, in parts of the canvas; the model of these tests finds the middle third."""
RADIUS = 0.08
TINT = (120, 170, 255)


def masks_of(size: tuple[int, int]) -> dict[str, np.ndarray]:
    """The mask of each figure, (H, W), 255 = foreground."""
    masks: dict[str, np.ndarray] = {}
    for name, (x, y) in FIGURES.items():
        masks[name] = np.zeros(size[::-1], np.uint8)
        center, axes = (round(x * size[0]), round(y * size[1])), (round(RADIUS * size[0]), round(2 * RADIUS * size[1]))
        cv2.ellipse(masks[name], center, axes, 0, 0, 360, 255, -1, cv2.LINE_AA)
    return masks


def files_of(folder: Path, art: Art, size: tuple[int, int]) -> dict[str, Any]:
    paths: dict[str, str] = {}
    for name, mask in masks_of(size).items():
        paths[name] = str(folder / f"{name}.png")
        cv2.imwrite(paths[name], mask)
    return {"size": size, "lines": str(art.lines), "reference": str(art.reference), "masks": paths}


@pytest.fixture(scope="module")
def seen(player: ScenarioPlayer, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    drawings: dict[str, Any] = {}
    for space, size in SIZES.items():
        folder = tmp_path_factory.mktemp(space)
        drawings[space] = files_of(folder, draw(folder, size), size)
    return player.play("mask_union", {"drawings": drawings})


@pytest.mark.parametrize("run", ["masks", "found"])
@pytest.mark.parametrize("space", SPACES)
def test_existing_layers_stay(seen: Evidence, space: str, run: str) -> None:
    notes = seen[f"{space}_{run}"]
    assert untouched(notes["before"], notes["after"])


@pytest.mark.parametrize("space", SPACES)
def test_foreground_is_the_union(seen: Evidence, space: str) -> None:
    """To within the width of a line: there the edge may move to the middle of the ink."""
    expected = np.maximum.reduce(list(masks_of(SIZES[space]).values()))
    got = seen.pixels(f"{space}_masks_Foreground.bgra", SIZES[space])[..., 3]
    rim = np.ones((2 * max(4, SIZES[space][0] // 200) + 1,) * 2, np.uint8)
    assert got[cv2.erode(expected, rim) == 255].min() == 255
    assert got[cv2.dilate(expected, rim) == 0].max() == 0


@pytest.mark.parametrize("space", SPACES)
def test_what_is_found_is_added(seen: Evidence, space: str) -> None:
    width, height = SIZES[space]
    got = seen.pixels(f"{space}_found_Foreground.bgra", SIZES[space])[..., 3]
    for x, y in (*FIGURES.values(), (0.5, 0.65)):
        assert got[round(y * height), round(x * width)] == 255, (x, y)
    assert got[round(0.97 * height), round(0.03 * width)] == 0


@pytest.mark.parametrize("space", SPACES)
def test_docker_shows_the_union_over_the_lines(seen: Evidence, space: str) -> None:
    image = cv2.imread(str(seen.out / f"{space}_image.png"))[..., ::-1].astype(int)
    height, width = image.shape[:2]
    assert max(width / 144, height / 96) == 1
    for x, y in FIGURES.values():
        assert np.abs(image[round(y * height), round(x * width)] - TINT).max() < 90
    is_tinted = image[..., 2] - image[..., 0] > 60
    share = 2 * np.pi * RADIUS * 2 * RADIUS
    assert abs(is_tinted.mean() - share) < 0.25 * share
    assert (image.max(axis=2) < 120).mean() > 0.01, "the lines are there"


@pytest.mark.parametrize("space", SPACES)
def test_window_never_stalls(seen: Evidence, space: str) -> None:
    assert seen[f"{space}_stall"]["own"] < 0.100, seen[f"{space}_stall"]
