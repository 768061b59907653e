from __future__ import annotations

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
