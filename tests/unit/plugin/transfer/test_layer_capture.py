"""The document becomes a request with the right pixels, or the right sentence, and is left as it was."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.unit.plugin.conftest import capture, ink, paint, scan, state_of


@pytest.fixture
def request_of(plugin: Any, app: Any) -> Any:
    """Captures with these choices; returns the parts as BGRA or gray arrays, after packing."""

    def request(**choices: Any) -> dict[str, np.ndarray]:
        captured = capture(plugin, app, plugin.state.choices.DockerState(**choices))
        parts = plugin.jobs.colorize_job.encode_parts(captured)
        return {name: cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED) for name, png in parts.by_name().items()}

    return request


@pytest.fixture
def reference(plugin: Any, tmp_path: Path) -> Any:
    file = tmp_path / "reference.png"
    cv2.imwrite(str(file), paint(40, 60))
    return plugin.state.choices.Reference(path=str(file))


def id_of(node: Any) -> str:
    return node.uniqueId().toString()


@pytest.mark.parametrize("depth", ["U8", "U16"])
def test_a_line_layer_arrives_pixel_for_pixel(paper: Any, request_of: Any, reference: Any, depth: str) -> None:
    document = paper.document(depth=depth)
    lines = paper.add(document, "Ink", ink())
    before = state_of(document)
    parts = request_of(lines=id_of(lines), references=(reference,))
    assert np.array_equal(parts["lines"], ink())
    assert np.array_equal(parts["reference0"][..., :3], paint(40, 60)[..., :3])
    assert state_of(document) == before


def test_a_layer_with_an_offset_and_beyond_the_canvas(paper: Any, request_of: Any, reference: Any) -> None:
    document = paper.document()
    lines = paper.add(document, "Ink", ink(), at=(-20, 15))
    expected = np.zeros((80, 96, 4), np.uint8)
    expected[15:, :76] = ink()[:65, 20:]
    assert np.array_equal(request_of(lines=id_of(lines), references=(reference,))["lines"], expected)


def test_a_group_arrives_as_it_shows(paper: Any, request_of: Any, reference: Any) -> None:
    document = paper.document()
    group = paper.group(document, "Drawing")
    paper.add(document, "rough", ink(), group, at=(30, 0))
    paper.add(document, "hidden", paint(), group).setVisible(False)
    got = request_of(lines=id_of(group), references=(reference,))["lines"]
    assert np.array_equal(got, group.data.projection(0, 0, 96, 80)) and got[..., 3].any()


def test_a_hidden_layer_with_a_mask_arrives_masked(paper: Any, request_of: Any, reference: Any) -> None:
    document = paper.document()
    lines = paper.add(document, "Ink", ink())
    mask = paper.layer(document, "mask", np.zeros((80, 96, 1), np.uint8), kind="transparencymask")
    mask.setPixelData(bytes([255] * 48 + [0] * 48) * 80, 0, 0, 96, 80)
    lines.addChildNode(mask, None)
    lines.setVisible(False)
    got = request_of(lines=id_of(lines), references=(reference,))["lines"]
    assert got[:, :48, 3].any() and not got[:, 48:, 3].any()


def test_a_reference_layer_is_cut_to_where_it_is_painted(plugin: Any, paper: Any, request_of: Any) -> None:
    document = paper.document()
    lines = paper.add(document, "Ink", ink())
    layer = paper.add(document, "colors", paint(30, 40), at=(80, 5))
    got = request_of(lines=id_of(lines), references=(plugin.state.choices.Reference(layer_id=id_of(layer)),))["reference0"]
    assert np.array_equal(got, paint(30, 40)[:, :16])


def test_large_references_are_downscaled(plugin: Any, paper: Any, request_of: Any, tmp_path: Path) -> None:
    document = paper.document()
    lines = paper.add(document, "Ink", ink())
    cv2.imwrite(str(tmp_path / "large.png"), np.full((100, 4000, 3), 90, np.uint8))
    file = plugin.state.choices.Reference(path=str(tmp_path / "large.png"))
    got = request_of(lines=id_of(lines), references=(file,))["reference0"]
    assert max(got.shape) == plugin.images.codec.REFERENCE_SIDE and got[0, 0, 0] == 90


def test_references_switched_off_are_not_sent(plugin: Any, paper: Any, request_of: Any, reference: Any) -> None:
    document = paper.document()
    lines = id_of(paper.add(document, "Ink", ink()))
    off = plugin.state.choices.Reference(path="nowhere.png", used=False)
    assert set(request_of(lines=lines, references=(off, reference))) == {"lines", "reference0"}


def test_the_selection_is_the_mask(krita: Any, plugin: Any, paper: Any, request_of: Any, reference: Any) -> None:
    document = paper.document()
    lines = id_of(paper.add(document, "Ink", ink()))
    mask = np.zeros((80, 96), np.uint8)
    mask[20:40, 30:60] = 200
    document.state.selection = krita.Selection(mask)
    kind = plugin.state.choices.ForegroundChoice.SELECTION
    assert np.array_equal(request_of(lines=lines, references=(reference,), foreground=kind)["foreground"], mask)


def test_a_painted_mask_layer_counts_black_and_transparent_as_background(
    plugin: Any, paper: Any, request_of: Any, reference: Any
) -> None:
    document = paper.document()
    lines = id_of(paper.add(document, "Ink", ink()))
    painted = np.zeros((80, 96, 4), np.uint8)
    painted[10:50, 10:50] = 255
    painted[20:30, 20:30, :3] = 0
    painted[10:14, 10:14] = 0
    mask = id_of(paper.add(document, "Silhouette", painted))
    choice = {"foreground": plugin.state.choices.ForegroundChoice.MASK, "foreground_layer": mask}
    got = request_of(lines=lines, references=(reference,), **choice)["foreground"]
    assert np.array_equal(got, painted[..., 0] * (painted[..., 3] > 0))


def test_the_alpha_of_a_layer_is_a_mask(plugin: Any, paper: Any, request_of: Any, reference: Any) -> None:
    document = paper.document()
    lines = id_of(paper.add(document, "Ink", ink()))
    silhouette = id_of(paper.add(document, "Silhouette", paint(20, 20), at=(5, 6)))
    choice = {"foreground": plugin.state.choices.ForegroundChoice.ALPHA, "foreground_layer": silhouette}
    got = request_of(lines=lines, references=(reference,), **choice)["foreground"]
    assert got[6:26, 5:25].all() and got.sum() == 400 * 255


def test_a_gray_mask_of_a_layer_is_a_mask(plugin: Any, paper: Any, request_of: Any, reference: Any) -> None:
    document = paper.document()
    lines = paper.add(document, "Ink", ink())
    mask = document.createNode("mask", "transparencymask")
    mask.setPixelData(bytes(range(96)) * 80, 0, 0, 96, 80)
    lines.addChildNode(mask, None)
    choice = {"foreground": plugin.state.choices.ForegroundChoice.MASK, "foreground_layer": id_of(mask)}
    got = request_of(lines=id_of(lines), references=(reference,), **choice)["foreground"]
    assert np.array_equal(got, np.tile(np.arange(96, dtype=np.uint8), (80, 1)))


def test_one_turn_reads_few_pixels(plugin: Any, app: Any, paper: Any, reference: Any) -> None:
    document = paper.document(1500, 900, white=False)
    pixels = np.random.default_rng(0).integers(0, 255, (900, 1500, 4), np.uint8)
    lines = id_of(paper.add(document, "Ink", pixels))
    chosen = plugin.state.choices.DockerState(lines=lines, references=(reference,))
    read: list[int] = []
    node_class = type(document.rootNode())
    original = node_class.projectionPixelData

    def counted(self: Any, x: int, y: int, w: int, h: int) -> bytes:
        read.append(w * h)
        return original(self, x, y, w, h)

    node_class.projectionPixelData = counted
    try:
        turns: list[int] = []
        capture(plugin, app, chosen, lambda: turns.append(len(read)))
    finally:
        node_class.projectionPixelData = original
    assert max(read) <= plugin.krita_api.pixel_data.STRIP_PIXELS
    assert max(after - before for before, after in pairwise(turns)) == 1


def test_the_layers_are_frozen_when_the_button_is_pressed(plugin: Any, app: Any, paper: Any, reference: Any) -> None:
    document = paper.document(1500, 900, white=False)
    lines = paper.add(document, "Ink", ink(900, 1500))
    chosen = plugin.state.choices.DockerState(lines=id_of(lines), references=(reference,))
    captured = capture(plugin, app, chosen, lambda: lines.setPixelData(bytes(1500 * 900 * 4), 0, 0, 1500, 900))
    assert b"".join(captured.lines.strips) == ink(900, 1500).tobytes()


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [(ink(), False), (scan(), True), (paint(), True), (np.zeros((80, 96, 4), np.uint8), False)],
    ids=["ink on transparency", "scan", "painted all over", "nothing"],
)
def test_paper_is_distinguished_from_ink(plugin: Any, pixels: np.ndarray, expected: bool) -> None:
    strips = tuple(
        pixels[top : top + rows].tobytes() for top, rows in plugin.krita_api.pixel_data.strips(pixels.shape[1], pixels.shape[0])
    )
    captured = plugin.krita_api.pixel_data.PixelData(pixels.shape[1], pixels.shape[0], 4, strips, (0, 0, 96, 80))
    assert plugin.images.codec.is_opaque_paper(captured) is expected


def test_a_scan_smaller_than_the_canvas_is_paper_and_white_ink_is_not(plugin: Any) -> None:
    small, white = np.zeros((80, 96, 4), np.uint8), ink()
    small[10:60, 10:70] = scan(50, 60)
    white[..., :3] = 255
    for pixels, expected in ((small, True), (white, False)):
        captured = plugin.krita_api.pixel_data.PixelData(96, 80, 4, (pixels.tobytes(),), (0, 0, 96, 80))
        assert plugin.images.codec.is_opaque_paper(captured) is expected
