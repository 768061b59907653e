"""A background reference looks in the docker as the model will see it: without its foreground where that is whitened."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtGui import QColor

from backend.contract.drawing import Reference
from backend.families.colorizediffusion import family, v15
from shared.protocol import ReferenceRole
from tests.unit.plugin.bench import Bench

MODES = ("plain", "split")


@pytest.fixture
def model(bench: Bench, plugin: Any) -> Any:
    spec = plugin.shared.model_spec
    modes = tuple(spec.ModeInfo(name, name.title(), "") for name in MODES)
    split = (MODES[1],)
    parameters = (
        spec.ParameterInfo("clear_background", "Background only", "", "switch", False, modes=split),
        spec.ParameterInfo("reference_threshold", "Reference mask", "", "number", 0.4, modes=split),
    )
    bench.backend.awake = True
    bench.backend.models = [spec.ModelInfo("mini", "Mini", "MIT", ["flats"], True, modes=modes, parameters=parameters)]
    bench.controller.models.refresh()
    bench.until(lambda: bench.controller.models.models)
    return bench.backend.models[0]


def choose(bench: Bench, plugin: Any, role: str = "BACKGROUND", mode: str = "split", **values: Any) -> None:
    session = bench.controller.session(bench.app.active_document())
    references = bench.widget("reference").references()
    chosen = plugin.shared.protocol.ReferenceRole[role]
    new = (replace(references[0], role=chosen), *references[1:])
    session.choices = session.choices.with_options(mode=mode)
    for name, value in values.items():
        session.choices = session.choices.with_value(name, value)
    session.choose(references=new)
    bench.docker.refresh()


def is_bleached(bench: Bench) -> bool:
    shown = bench.widget("reference")
    image = shown.thumbnail(shown.references()[0]).toImage()
    middle, top = (image.pixelColor(image.width() // 2, y) for y in (image.height() - 3, 3))
    tip = shown.item(0).toolTip()
    assert top != QColor("white") and (middle == QColor("white")) == ("as the model will see it" in tip)
    return bool(middle == QColor("white"))


@pytest.mark.parametrize("kind", ["file", "layer"])
def test_it_is_shown_bleached_where_the_model_whitens_it(
    bench: Bench, document: Any, plugin: Any, model: Any, file: Path, kind: str
) -> None:
    bench.drop(file) if kind == "file" else bench.add_layer("Colors")
    bench.add_layer("Ink")  # colors the rest
    shown = bench.widget("reference")
    bench.until(lambda: shown.thumbnail(shown.references()[0]) is not None)
    choose(bench, plugin)
    assert not is_bleached(bench)
    choose(bench, plugin, clear_background=True)
    bench.until(lambda: is_bleached(bench))
    assert bench.backend.calls.count("bleach 0.4") == 1
    for changes in ({"mode": "plain"}, {"role": "FOREGROUND"}, {"role": "BOTH"}, {"clear_background": False}):
        choose(bench, plugin, **changes)
        assert not is_bleached(bench), changes
        choose(bench, plugin, clear_background=True)
        assert is_bleached(bench)
    choose(bench, plugin, reference_threshold=0.7)
    bench.until(lambda: is_bleached(bench) and "bleach 0.7" in bench.backend.calls)
    assert bench.backend.calls.count("bleach 0.4") == 1, "images are kept"


def test_without_a_backend_the_thumbnail_stays_as_it_is(
    bench: Bench, document: Any, plugin: Any, model: Any, file: Path
) -> None:
    bench.drop(file)
    bench.add_layer("Ink")
    shown = bench.widget("reference")
    bench.until(lambda: shown.thumbnail(shown.references()[0]) is not None)
    bench.backend.awake = False
    choose(bench, plugin, clear_background=True)
    bench.until(lambda: not bench.controller.threads.busy)
    assert not is_bleached(bench)


def test_the_models_parameters_have_the_names_that_the_docker_looks_for(plugin: Any) -> None:
    names = {info.name for info in v15.SPEC.parameters}
    spec = plugin.shared.model_spec
    assert {spec.CLEAR_BACKGROUND, spec.REFERENCE_THRESHOLD} <= names


def test_the_background_reference_is_the_one_that_the_models_take(plugin: Any) -> None:
    here, image = plugin.shared.protocol.ReferenceRole, np.zeros((2, 2, 3), np.uint8)
    for count in (1, 2, 3):
        for roles in product(ReferenceRole, repeat=count):
            theirs = tuple(Reference(image, image[..., 0], role) for role in roles)
            ours = [plugin.state.choices.Reference(path=str(i), role=here(role.value)) for i, role in enumerate(roles)]
            taken, found = family._roles(theirs).background, plugin.state.model_choices.background_reference(ours)
            assert [each is taken for each in theirs] == [each is found for each in ours], roles
