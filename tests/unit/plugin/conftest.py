"""The plugin as it is installed (``shared`` inside it), imported with a stand-in for Krita."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtWidgets import QApplication  # noqa: E402

from installer.krita.plugin import copy_sources  # noqa: E402
from tests.unit.plugin import fake_krita  # noqa: E402
from tests.unit.plugin.bench import Bench  # noqa: E402


@pytest.fixture(scope="session")
def application() -> Any:
    return QApplication.instance() or QApplication(["test"])


@pytest.fixture(scope="session")
def plugin(application: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The plugin's modules as attributes: ``plugin.transfer.layer_capture``, ``plugin.shared.errors`` and so on."""
    folder = tmp_path_factory.mktemp("pykrita")
    copy_sources(folder / "linewash")
    before_path, before = list(sys.path), dict(sys.modules)
    sys.modules["krita"] = fake_krita
    sys.path.insert(0, str(folder))
    try:
        import linewash  # type: ignore[import-not-found]

        yield linewash
    finally:
        sys.path[:] = before_path
        for name in set(sys.modules) - set(before):
            if name == "krita" or name.split(".")[0] == "linewash":
                del sys.modules[name]


@pytest.fixture
def krita() -> Iterator[Any]:
    """A Krita that has just started."""
    fake_krita.Krita._one = None
    yield fake_krita
    fake_krita.Krita._one = None


GROUP = ("Linewash 7 flats · mini", ["Background", "Foreground"])
"""What ``result_for`` makes, as ``tree`` shows it."""


class Paper:
    """Makes documents, as a painter does."""

    def __init__(self, krita: Any) -> None:
        self.krita = krita

    def document(self, width: int = 96, height: int = 80, depth: str = "U8", white: bool = True, model: str = "RGBA") -> Any:
        document = self.krita.Krita.instance().createDocument(width, height, "test", model, depth, "", 300.0)
        if not white:
            document.topLevelNodes()[0].remove()
        self.krita.Krita.instance().front = document
        document.state.undo.clear()
        document.state.modified = False
        return document

    def layer(
        self, document: Any, name: str, pixels: np.ndarray, at: tuple[int, int] = (0, 0), kind: str = "paintlayer"
    ) -> Any:
        """A detached layer with these BGRA pixels, in the document's depth."""
        node = document.createNode(name, kind)
        data = pixels if document.colorDepth() == "U8" else pixels.astype("<u2") * 257
        node.setPixelData(data.tobytes(), *at, pixels.shape[1], pixels.shape[0])
        return node

    def add(self, document: Any, name: str, pixels: np.ndarray, parent: Any = None, at: tuple[int, int] = (0, 0)) -> Any:
        node = self.layer(document, name, pixels, at)
        (parent or document.rootNode()).addChildNode(node, None)
        document.state.undo.clear()
        document.state.modified = False
        return node

    def group(self, document: Any, name: str, parent: Any = None) -> Any:
        node = document.createGroupLayer(name)
        (parent or document.rootNode()).addChildNode(node, None)
        document.state.undo.clear()
        return node


@pytest.fixture
def paper(krita: Any, plugin: Any) -> Paper:
    return Paper(krita)


@pytest.fixture
def app(krita: Any, plugin: Any) -> Any:
    return plugin.krita_api.application.KritaApp()


@pytest.fixture
def bench(plugin: Any, krita: Any) -> Iterator[Bench]:
    bench = Bench(plugin, krita)
    yield bench
    bench.controller.shut_down()
    bench.until(lambda: not bench.controller.threads.busy)
    bench.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A reference image."""
    path = tmp_path / "reference.png"
    cv2.imwrite(str(path), paint(30, 40))
    return path


@pytest.fixture
def document(paper: Paper, bench: Bench) -> Any:
    """A drawing on a layer of its own, with a layer to take colors from, in front of the docker."""
    document = paper.document()
    paper.add(document, "Colors", paint())
    document.setActiveNode(paper.add(document, "Ink", ink()))
    bench.docker.refresh()
    return document


@pytest.fixture
def result_for(plugin: Any) -> Any:
    def make(lines: Any, paper: bool = False, size: tuple[int, int] = (96, 80)) -> Any:
        width, height = size
        foreground = paint(height, width)
        foreground[:, : width // 2, 3] = 0
        strips = [
            tuple(pixels[top : top + rows].tobytes() for top, rows in plugin.krita_api.pixel_data.strips(width, height))
            for pixels in (foreground, paint(height, width, (90, 60, 30)))
        ]
        return plugin.transfer.group_builder.ResultLayers(size, size, GROUP[0], lines.uniqueId().toString(), paper, *strips)

    return make


@pytest.fixture
def write(plugin: Any, app: Any) -> Any:
    def go(result: Any, between: Any = lambda: None, painting: Any = lambda: False) -> Any:
        return run(plugin.transfer.layer_writer.insert_result(app, app.active_document(), result, painting), between)

    return go


def ink(height: int = 80, width: int = 96) -> np.ndarray:
    """A black frame on transparency, BGRA."""
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[10:14, 10:-10, 3] = pixels[-14:-10, 10:-10, 3] = pixels[10:-10, 10:14, 3] = pixels[10:-10, -14:-10, 3] = 255
    return pixels


def scan(height: int = 80, width: int = 96) -> np.ndarray:
    """The same frame black on white paper."""
    pixels = np.full((height, width, 4), 255, np.uint8)
    pixels[..., :3][ink(height, width)[..., 3] > 0] = 0
    return pixels


def paint(height: int = 80, width: int = 96, color: tuple[int, int, int] = (10, 120, 230)) -> np.ndarray:
    pixels = np.full((height, width, 4), 255, np.uint8)
    pixels[..., :3] = color
    pixels[: height // 2, :, 0] = 200
    return pixels


def run(coroutine: Any, between: Any = lambda: None) -> Any:
    """Take all steps of a coroutine; what it returns.  ``between`` is called after each."""
    while True:
        try:
            pause = coroutine.send(None)
        except StopIteration as stop:
            return stop.value
        assert isinstance(pause, int)
        between()


def capture(plugin: Any, app: Any, choices: Any, between: Any = lambda: None) -> Any:
    """What is captured of the document in front; the result to recolor is left out."""
    module, document = plugin.transfer.layer_capture, app.active_document()
    request = module.build_request(document, choices)
    return run(module.capture_layers(app, document, choices, request), between)[0]


def state_of(document: Any) -> str:
    """Everything about a document that a painter could notice, as text; layers of results included."""

    def describe(node: Any) -> Any:
        data = node.data
        return [
            data.id,
            data.name,
            data.visible,
            data.blending,
            data.at,
            data.pixels.tobytes().hex(),
            [*map(describe, node.childNodes())],
        ]

    return json.dumps([describe(document.rootNode()), document.undo_texts(), document.state.modified, document.state.size])


def tree(node: Any) -> list[Any]:
    """Names from bottom to top; a group is a pair."""
    return [(child.name(), tree(child)) if child.type() == "grouplayer" else child.name() for child in node.childNodes()]


__all__ = ["GROUP", "Paper", "capture", "ink", "paint", "run", "scan", "state_of", "tree"]
