from __future__ import annotations

import uuid
from typing import Any

import numpy as np
import pytest


def test_of_several_selected_layers_the_last_active_one_stays_active(
    app: Any, paper: Any, plugin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = paper.document()
    pixels = np.zeros((4, 4, 4), np.uint8)
    first, second = (paper.add(document, name, pixels) for name in ("first", "second"))
    document.setActiveNode(first)
    asked = app.active_document()
    assert asked.active_layer() == first.uniqueId().toString()
    selected = [first, second]
    monkeypatch.setattr("tests.unit.plugin.fake_krita.View.selectedNodes", lambda self: list(selected))
    assert asked.active_layer() == first.uniqueId().toString()
    selected.remove(first)
    assert asked.active_layer() == second.uniqueId().toString()


def test_a_document_behind_another_keeps_its_active_layer(app: Any, paper: Any) -> None:
    document = paper.document()
    behind = app.active_document()
    layer = behind.active_layer()
    assert layer
    paper.document()
    document.setActiveNode(document.rootNode())
    assert app.active_document() is not behind
    assert behind.active_layer() == layer


def test_a_layer_is_found_by_its_id_until_it_is_removed(app: Any, paper: Any) -> None:
    paper.document()
    asked = app.active_document()
    layer = asked.layers()[0]
    node = asked.find_node(layer.id)
    assert node.name() == layer.name
    node.remove()
    assert asked.find_node(layer.id) is None
    assert asked.find_node("") is None


def test_a_layer_is_found_where_krita_answers_with_an_object_that_is_no_node(
    app: Any, paper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper.document()
    asked = app.active_document()
    layer = asked.layers()[0]
    monkeypatch.setattr("tests.unit.plugin.fake_krita.Document.nodeByUniqueID", lambda self, unique_id: object())
    assert asked.find_node(layer.id).name() == layer.name
    assert asked.find_node("{%s}" % uuid.uuid4()) is None
