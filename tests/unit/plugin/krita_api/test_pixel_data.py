"""Writing pixels: what Krita says about it is believed."""

from typing import Any

import pytest


def test_pixels_that_krita_did_not_take_are_an_error(app: Any, paper: Any, plugin: Any) -> None:
    document = paper.document()
    node = document.createNode("layer", "paintlayer")
    write = plugin.krita_api.pixel_data.write_pixels
    write(node, bytes([1] * 4 * 4), (0, 0, 2, 2))
    assert bytes(node.pixelData(0, 0, 2, 2)) == bytes([1] * 16)
    with pytest.raises(plugin.shared.errors.LinewashError) as raised:
        write(node, bytes(4), (0, 0, 2, 2))
    assert raised.value.code is plugin.shared.errors.ErrorCode.INTERNAL


def test_a_krita_that_does_not_say_is_believed(app: Any, paper: Any, plugin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    node = paper.document().createNode("layer", "paintlayer")
    monkeypatch.setattr("tests.unit.plugin.fake_nodes.Node.setPixelData", lambda *arguments: None)
    plugin.krita_api.pixel_data.write_pixels(node, bytes(16), (0, 0, 2, 2))
