"""Masks on the layers that are read, from the docker to what is sent."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.unit.plugin.bench import Bench
from tests.unit.plugin.conftest import ink, state_of

WIDTH, HEIGHT = 96, 80


def _add_colorize_mask(document: Any, strokes: dict[tuple[int, int, int], tuple[int, int]], transparent: int) -> None:
    """On the layer ``Ink``: for each color (BGR) a stroke of 4 x 4 pixels at that place."""
    mask = document.createNode("Key strokes", "colorizemask")
    for color, (x, y) in strokes.items():
        strength = np.zeros((HEIGHT, WIDTH), np.uint8)
        strength[y : y + 4, x : x + 4] = 200
        mask.data.key_strokes.append((color, strength))
    mask.data.transparent = transparent
    next(node for node in document.topLevelNodes() if node.name() == "Ink").addChildNode(mask, None)


def test_key_strokes_are_hints_and_what_the_mask_fills_is_no_line(bench: Bench, document: Any, file: Path) -> None:
    strokes = {(9, 8, 250): (40, 30), (1, 1, 1): (60, 30), (250, 8, 9): (42, 32)}
    _add_colorize_mask(document, strokes, transparent=1)
    bench.drop(file)
    bench.docker.refresh()
    box = bench.widget("hints")
    assert [box.itemText(i) for i in range(box.count())] == ["None", "Ink", "Key strokes", "Colors", "Background"]
    bench.pick("hints", "Key strokes")
    before, bench.backend.pause_s = state_of(document), 0.1  # no layers yet when the request is looked at
    bench.click("color")
    bench.until(lambda: bench.backend.request is not None)
    assert state_of(document) == before
    bench.until(bench.idle)
    sent = {name: cv2.imdecode(np.frombuffer(png, np.uint8), -1) for name, png in bench.backend.parts.items()}
    expected = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    expected[30:34, 40:44] = (9, 8, 250, 200)
    expected[32:36, 42:46] = (250, 8, 9, 200)
    assert np.array_equal(sent["hints"] * (sent["hints"][..., 3:] > 0), expected)
    assert np.array_equal(sent["lines"], ink())
    assert 'mask "Key strokes" lies over it' in bench.says()


def test_key_strokes_that_krita_keeps_to_itself_are_not_listed(bench: Bench, document: Any) -> None:
    _add_colorize_mask(document, {}, transparent=-1)
    bench.docker.refresh()
    box = bench.widget("hints")
    assert "Key strokes" not in [box.itemText(i) for i in range(box.count())]


def test_a_layer_shows_when_all_that_it_lies_in_is_visible(app: Any, paper: Any) -> None:
    document = paper.document()
    outer = paper.group(document, "Outer")
    inner = paper.add(document, "Inner", ink(), outer)
    asked, layer_id = app.active_document(), inner.uniqueId().toString()
    assert asked.shows(layer_id)
    outer.setVisible(False)
    assert not asked.shows(layer_id)
    outer.setVisible(True)
    inner.setVisible(False)
    assert not asked.shows(layer_id)
