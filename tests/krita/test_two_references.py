"""v2 in the docker: one reference for the figure and one for the background, in every mode."""

from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.families.colorizediffusion import v2
from backend.imaging.types import Rgb, Rgba
from shared.paths import models_dir
from tests.krita.harness.art import Art
from tests.krita.harness.compare import over, untouched
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.scenario_player import TRAINED, ScenarioPlayer
from tests.parity.golden import FILES, write_checkpoint

pytestmark = [pytest.mark.krita, pytest.mark.timeout(1800)]
SIZE = (333, 257)
MODES = [mode.title for mode in v2.SPEC.modes]
DUSK, FOREST = "Dusk", "Forest"
UNLIKE_PLAIN = [title for title in MODES if title != "Strengths alone"]
"""That mode is as *Plain* until its strengths are changed."""


def gradient(above: tuple[int, int, int], below: tuple[int, int, int]) -> Rgb:
    """From one color at the top to another at the bottom."""
    share = np.linspace(0, 1, SIZE[1])[:, None, None]
    return np.rint(np.ones((1, SIZE[0], 1)) * (np.array(above) * (1 - share) + np.array(below) * share)).astype(np.uint8)


def save(path: Path, rgb: Rgb) -> str:
    cv2.imwrite(str(path), rgb[..., ::-1])
    return str(path)


@pytest.fixture(scope="module")
def seen(player: ScenarioPlayer, small_art: Art) -> Evidence:
    home = player.root / "two_references"
    models_dir(home).mkdir(parents=True)
    write_checkpoint("v2", models_dir(home))
    folder = player.root / "backgrounds"
    folder.mkdir()
    given = {
        "size": SIZE,
        "lines": str(small_art.lines),
        "reference": str(small_art.reference),
        "backgrounds": {
            DUSK: save(folder / "dusk.png", gradient((90, 40, 120), (250, 140, 60))),
            FOREST: save(folder / "forest.png", gradient((30, 80, 50), (150, 190, 90))),
        },
        "model": FILES["v2"].split(".")[0],
        "modes": MODES,
        "steps": 2,
    }
    return player.play("two_references", given, home, model=TRAINED, timeout_s=1500)


def image(seen: Evidence, name: str) -> Rgba:
    foreground, background = (seen.pixels(f"{name}_{layer}.bgra", SIZE) for layer in ("Foreground", "Background"))
    return over(foreground, background)


@pytest.mark.parametrize("title", MODES)
def test_every_mode_colors_with_two_references(seen: Evidence, title: str) -> None:
    assert seen[f"{title} {DUSK}"]["says"].startswith("Done in")
    assert len(np.unique(image(seen, f"{title} {DUSK}").reshape(-1, 4), axis=0)) > 4


def test_no_two_modes_color_alike(seen: Evidence) -> None:
    images = [image(seen, f"{title} {DUSK}") for title in UNLIKE_PLAIN]
    assert not any(np.array_equal(one, other) for one, other in combinations(images, 2))
    assert np.array_equal(image(seen, f"Strengths alone {DUSK}"), images[0])


def test_a_mode_that_does_not_use_the_background_reference_says_so(seen: Evidence) -> None:
    sentence = "does not use the reference for the background"
    for title in MODES:
        assert (sentence in seen[f"{title} {DUSK}"]["says"]) == (title in ("Plain", "Style", "Strengths alone"))


def test_another_background_reference_gives_another_background(seen: Evidence) -> None:
    one, other = (seen.pixels(f"Background {name}_Background.bgra", SIZE) for name in (DUSK, FOREST))
    assert not np.array_equal(one, other)
    assert not np.array_equal(one, seen.pixels(f"Copied {DUSK}_Background.bgra", SIZE))


def test_existing_layers_stay_byte_identical(seen: Evidence) -> None:
    assert untouched(seen["before"], seen["after"])
