"""The thumbnail of a background reference is what the model will see, where it whitens the foreground."""

import cv2
import numpy as np
import pytest

from backend.families.colorizediffusion import v15
from shared.paths import models_dir
from tests.krita.harness.art import Art, foreground_mask
from tests.krita.harness.compare import untouched
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.scenario_player import TRAINED, ScenarioPlayer
from tests.parity.golden import write_checkpoint

pytestmark = [pytest.mark.krita, pytest.mark.timeout(1200)]
SIZE = (333, 257)


@pytest.fixture(scope="module")
def seen(player: ScenarioPlayer, small_art: Art) -> Evidence:
    home = player.root / "bleached"
    folder = models_dir(home)
    folder.mkdir(parents=True)
    write_checkpoint("v1.5", folder)
    parameter = next(info for info in v15.SPEC.parameters if info.name == "clear_background")
    mode = next(mode.title for mode in v15.SPEC.modes if mode.name in parameter.modes)
    given = {"size": SIZE, "lines": str(small_art.lines), "reference": str(small_art.reference)}
    return player.play("bleached_reference", {**given, "model": "v1.5", "mode": mode}, home, model=TRAINED)


def test_the_figure_is_white_and_the_rest_is_as_it_was(seen: Evidence) -> None:
    """The trained model finds it, so only most of it is asked for."""
    before, after = (cv2.imread(str(seen.out / f"thumbnail_{name}.png")).astype(int) for name in ("before", "after"))
    before = cv2.resize(before.astype(np.uint8), after.shape[1::-1], interpolation=cv2.INTER_AREA).astype(int)
    figure = cv2.resize(foreground_mask(SIZE)[:, ::-1], after.shape[1::-1], interpolation=cv2.INTER_AREA)
    is_white = after.min(axis=2) > 250
    assert is_white[figure == 255].mean() > 0.8 and is_white[figure == 0].mean() < 0.2
    kept = (figure == 0) & ~is_white
    assert np.median(np.abs(after - before).max(axis=2)[kept]) < 16


def test_existing_layers_stay(seen: Evidence) -> None:
    assert untouched(seen["documents"]["before"], seen["documents"]["after"])


def test_window_never_stalls(seen: Evidence) -> None:
    assert seen["stall"]["own"] < 0.100, seen["stall"]
