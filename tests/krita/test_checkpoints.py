"""Checkpoints in published format, put into the models folder, color a drawing from the docker, by every method they have."""

from itertools import combinations

import numpy as np
import pytest

from backend.families.animediffusion import factory as animediffusion
from backend.families.colorizediffusion import v1, v15, xl
from backend.imaging.types import Rgba
from shared.paths import models_dir
from tests.krita.harness.art import Art
from tests.krita.harness.compare import over, untouched
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.scenario_player import TRAINED, ScenarioPlayer
from tests.parity.golden import ANIME, FILES, write_checkpoint
from tests.parity.xl import write_checkpoint as write_xl_checkpoint

pytestmark = [pytest.mark.krita, pytest.mark.timeout(1800)]
SIZE = (333, 257)
KINDS = {"v1": v1.SPEC, "v1.5": v15.SPEC, ANIME: animediffusion.SPEC}
"""v2 has a test of its own, with two references."""
XL = "sdxl-tiny"
SPECS = {**{FILES[kind].split(".")[0]: spec for kind, spec in KINDS.items()}, XL: xl.SPEC}
METHODS = {name: [mode.title for mode in spec.modes] or [""] for name, spec in SPECS.items()}
WAYS = [(name, title) for name, titles in METHODS.items() for title in titles]


@pytest.fixture(scope="module")
def seen(player: ScenarioPlayer, small_art: Art) -> Evidence:
    home = player.root / "checkpoints"
    folder = models_dir(home)
    folder.mkdir(parents=True)
    for version in KINDS:
        write_checkpoint(version, folder)
    write_xl_checkpoint(folder, XL)
    (folder / "notes.safetensors").write_text("these are no weights", encoding="utf-8")
    models = {name: bool(spec.modes) for name, spec in SPECS.items()}
    given = {"size": SIZE, "lines": str(small_art.lines), "reference": str(small_art.reference), "models": models}
    return player.play("checkpoints", given, home, model=TRAINED, timeout_s=1500)


def image(seen: Evidence, name: str, title: str) -> Rgba:
    foreground, background = (seen.pixels(f"{name}_{title}_{layer}.bgra", SIZE) for layer in ("Foreground", "Background"))
    return over(foreground, background)


def test_the_list_of_models_shows_them_and_why_one_cannot_be_used(seen: Evidence) -> None:
    assert seen["alone"] == ["mini"]
    shown = {text: (enabled, tip) for text, enabled, tip in seen["models"]}
    assert set(shown) == {"Mini", "notes", *(f"{name} · {spec.title}" for name, spec in SPECS.items())}
    assert [text for text, (enabled, _) in shown.items() if not enabled] == ["notes"]
    assert len(shown["notes"][1].split()) > 4


@pytest.mark.parametrize("name", SPECS)
def test_the_methods_are_those_of_the_checkpoint(seen: Evidence, name: str) -> None:
    assert seen[f"{name} methods"] == METHODS[name]


@pytest.mark.parametrize(("name", "title"), WAYS)
def test_every_method_colors_the_drawing(seen: Evidence, name: str, title: str) -> None:
    assert seen[f"{name} {title}"]["says"].startswith("Done in")
    assert seen[f"{name} {title}"]["group"] == f"Linewash 0 {title or 'painted'} · {name}"
    colored = image(seen, name, title)
    assert colored[..., 3].min() == 255
    assert len(np.unique(colored.reshape(-1, 4), axis=0)) > 4


@pytest.mark.parametrize("name", SPECS)
def test_no_two_methods_color_alike(seen: Evidence, name: str) -> None:
    images = [image(seen, name, title) for title in METHODS[name]]
    assert not any(np.array_equal(one, other) for one, other in combinations(images, 2))


def test_existing_layers_stay_byte_identical(seen: Evidence) -> None:
    assert untouched(seen["before"], seen["after"])


def test_the_whole_form_fits_into_a_narrow_column(seen: Evidence) -> None:
    dock, form, room = seen["narrow"]
    assert dock <= 300 and form <= room
