"""A background reference looks in the docker as the model will see it: without its foreground where that is whitened."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import cv2
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


@pytest.fixture
def often(plugin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for changes, and for a backend, whenever the docker is refreshed."""
    monkeypatch.setattr(plugin.jobs.bleached_references, "RENEW_S", 0.0)
    monkeypatch.setattr(plugin.jobs.bleached_references, "RETRY_S", 0.0)


@pytest.fixture
def captures(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Layers that were captured whole."""
    captured: list[str] = []
    create = bench.app.create_converter
    monkeypatch.setattr(bench.app, "create_converter", lambda: captured.append("layer") or create())
    return captured


def look(bench: Bench, times: int = 4) -> None:
    """Let it be looked for changes that often."""
    for _ in range(times):
        bench.docker.refresh()
        bench.until(lambda: not bench.controller.bleached._is_asking)


def bleached_color(bench: Bench) -> QColor:
    shown = bench.widget("reference")
    image = shown.thumbnail(shown.references()[0]).toImage()
    return QColor(image.pixelColor(image.width() // 2, 3))


def asked(bench: Bench) -> int:
    return bench.backend.calls.count("bleach 0.4")


@pytest.mark.parametrize("kind", ["file", "layer"])
def test_it_follows_the_reference(
    bench: Bench, document: Any, plugin: Any, model: Any, file: Path, often: None, captures: list[str], kind: str
) -> None:
    bench.drop(file) if kind == "file" else bench.add_layer("Colors")
    bench.add_layer("Ink")
    bench.until(lambda: bench.widget("reference").thumbnail(bench.widget("reference").references()[0]) is not None)
    choose(bench, plugin, clear_background=True)
    bench.until(lambda: is_bleached(bench))
    before, count = bleached_color(bench), len(captures)
    look(bench)
    assert (asked(bench), len(captures)) == (1, count), "nothing has changed"
    if kind == "file":
        cv2.imwrite(str(file), np.full((31, 40, 3), (20, 30, 40), np.uint8))
    else:
        layer = next(node for node in document.topLevelNodes() if node.name() == "Colors")
        layer.setPixelData(bytes([20, 30, 40, 255]) * (96 * 80), 0, 0, 96, 80)
    look(bench)
    assert is_bleached(bench) and bleached_color(bench) == QColor(40, 30, 20) != before
    assert asked(bench) == 2 and len(captures) == (count if kind == "file" else 2)
    bench.backend.awake = False
    look(bench)
    assert is_bleached(bench), "it is still what the model would see"
    if kind == "file":
        file.unlink()
    else:
        layer.remove()
    look(bench)
    assert not is_bleached(bench)


def test_another_segmenter_finds_another_foreground(
    bench: Bench, document: Any, plugin: Any, model: Any, file: Path, often: None, tmp_path: Path
) -> None:
    bench.backend.models_dir = tmp_path / "models"
    bench.drop(file)
    bench.add_layer("Ink")
    bench.until(lambda: bench.widget("reference").thumbnail(bench.widget("reference").references()[0]) is not None)
    choose(bench, plugin, clear_background=True)
    bench.until(lambda: is_bleached(bench))
    segmenter = tmp_path / "models" / "isnet" / "characters.safetensors"
    segmenter.parent.mkdir(parents=True)
    for change in (lambda: segmenter.write_bytes(b"1"), lambda: segmenter.write_bytes(b"22"), segmenter.unlink):
        count = asked(bench)
        change()
        look(bench)
        assert asked(bench) == count + 1 and is_bleached(bench)


@pytest.mark.parametrize("kind", ["file", "layer"])
def test_without_a_backend_the_thumbnail_stays_as_it_is(
    bench: Bench, document: Any, plugin: Any, model: Any, file: Path, often: None, captures: list[str], kind: str
) -> None:
    bench.drop(file) if kind == "file" else bench.add_layer("Colors")
    bench.add_layer("Ink")
    shown = bench.widget("reference")
    bench.until(lambda: shown.thumbnail(shown.references()[0]) is not None)
    bench.backend.awake = False
    choose(bench, plugin, clear_background=True)
    look(bench)
    assert not is_bleached(bench) and captures == []
    bench.backend.awake = True
    look(bench)
    assert is_bleached(bench)


def test_what_cannot_be_bleached_is_not_captured_again_and_again(
    bench: Bench, document: Any, plugin: Any, model: Any, often: None, captures: list[str]
) -> None:
    layer = next(node for node in document.topLevelNodes() if node.name() == "Colors")
    bench.add_layer("Colors")
    bench.add_layer("Ink")
    bench.until(lambda: bench.widget("reference").thumbnail(bench.widget("reference").references()[0]) is not None)
    layer.setPixelData(bytes(96 * 80 * 4), 0, 0, 96, 80)
    choose(bench, plugin, clear_background=True)
    look(bench)
    assert len(captures) == 1 and asked(bench) == 0 and not is_bleached(bench)
    bench.backend.fail["bleach 0.4"] = "JOB_NOT_DONE"
    layer.setPixelData(bytes([20, 30, 40, 255]) * (96 * 80), 0, 0, 96, 80)
    look(bench)
    assert len(captures) == 2 and asked(bench) > 1, "the worker colors: it is asked again, with the same pixels"
    bench.backend.fail["bleach 0.4"] = "WORKER_CRASHED"
    count = asked(bench)
    look(bench)
    assert asked(bench) == count + 1 and len(captures) == 2


def test_the_models_parameters_have_the_names_that_the_docker_looks_for(plugin: Any) -> None:
    names = {info.name for info in v15.SPEC.parameters}
    spec = plugin.shared.model_spec
    assert {spec.CLEAR_BACKGROUND, spec.REFERENCE_THRESHOLD} <= names


def test_the_background_reference_is_the_one_that_the_models_take(plugin: Any) -> None:
    here, image = plugin.shared.protocol.ReferenceRole, np.zeros((2, 2, 3), np.uint8)
    for count in (1, 2, 3):
        for roles in product(ReferenceRole, repeat=count):
            theirs = tuple(Reference(image, image[..., 0], role, image.shape[:2]) for role in roles)
            ours = [plugin.state.choices.Reference(path=str(i), role=here(role.value)) for i, role in enumerate(roles)]
            taken, found = family._roles(theirs).background, plugin.state.model_choices.background_reference(ours)
            assert [each is taken for each in theirs] == [each is found for each in ours], roles
