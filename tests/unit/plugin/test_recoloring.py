"""Recoloring a selection of an earlier result, and hints, from the docker to the layers."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.unit.plugin.bench import Bench
from tests.unit.plugin.conftest import ink, paint, run, scan, state_of, tree
from tests.unit.plugin.fake_krita import Selection

WIDTH, HEIGHT = 96, 80


def selected(soft: bool = False) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[20:60, 30:70] = 255
    if soft:
        mask[18:20, 30:70] = 90
    return mask


def layer_bytes(node: Any) -> np.ndarray:
    return node.data.read(0, 0, WIDTH, HEIGHT)


def results(document: Any) -> list[Any]:
    """Result groups from bottom to top."""
    return [node for node in document.topLevelNodes() if node.name().startswith("Linewash ")]


def child(group: Any, name: str) -> Any:
    return next(node for node in group.childNodes() if node.name() == name)


@pytest.fixture
def colored(bench: Bench, document: Any, file: Path) -> Any:
    """The document with one result, painted over, and a selection."""
    bench.drop(file)
    bench.click("color")
    bench.until(bench.idle)
    (group,) = results(document)
    child(group, "Background").setPixelData(paint(30, 40, (3, 4, 5)).tobytes(), 50, 40, 40, 30)
    document.state.selection = Selection(selected())
    document.state.undo.clear()
    bench.docker.refresh()
    return document


def test_only_the_selection_changes(bench: Bench, colored: Any) -> None:
    (before,) = results(colored)
    for name, color in (("Foreground", (9, 8, 7)), ("Background", (50, 60, 70))):  # the painter has gone over it
        child(before, name).setPixelData(paint(80, 96, color).tobytes(), 0, 0, 96, 80)
    before_pixels = {name: layer_bytes(child(before, name)) for name in ("Foreground", "Background")}
    bench.pick("area", "Selection")
    bench.click("color")
    bench.until(bench.idle)
    assert bench.says().startswith("Done in")
    assert bench.backend.request.selection_mask and bench.backend.request.previous
    older, newer = results(colored)
    assert newer.name() == "Linewash 0 painted, selection · mini" and colored.undo_texts() == ["Add Layer"]
    mask = selected() > 0
    for name, pixels in before_pixels.items():
        after = layer_bytes(child(newer, name))
        assert np.array_equal(after[~mask], pixels[~mask]), name
        assert not np.array_equal(after[mask], pixels[mask]), name
        assert np.array_equal(layer_bytes(child(older, name)), pixels)
    sent = {name: cv2.imdecode(np.frombuffer(png, np.uint8), -1) for name, png in bench.backend.parts.items()}
    assert np.array_equal(sent["selection_mask"], selected())
    assert np.array_equal(sent["previous_background"], before_pixels["Background"])


def test_a_soft_edge_is_written_as_the_backend_blended_it(plugin: Any) -> None:
    old, new = bytes(range(40)), bytes(range(100, 140))
    mask = bytes([0, 1, 255, 0, 0, 90, 0, 0, 0, 1])
    merged = plugin.krita_api.pixel_data.merge_pixels(old, new, mask)
    for pixel in range(10):
        assert merged[4 * pixel : 4 * pixel + 4] == (new if mask[pixel] else old)[4 * pixel : 4 * pixel + 4]
    wide = plugin.krita_api.pixel_data.merge_pixels(bytes(80), bytes([7]) * 80, mask)
    assert [wide[8 * pixel] for pixel in range(10)] == [7 if m else 0 for m in mask]


def test_the_group_keeps_what_the_painter_added(bench: Bench, colored: Any, paper: Any) -> None:
    (group,) = results(colored)
    paper.add(colored, "Shading", ink(), group)
    child(group, "Foreground").setVisible(False)
    bench.pick("area", "Selection")
    bench.click("color")
    bench.until(bench.idle)
    newer = results(colored)[1]
    assert tree(newer) == ["Background", "Foreground", "Shading"]
    assert np.array_equal(layer_bytes(child(newer, "Shading")), ink())
    assert not child(newer, "Foreground").visible()


def test_it_goes_on_from_the_newest_result_that_shows(bench: Bench, colored: Any) -> None:
    bench.pick("area", "Selection")
    for _ in range(2):
        bench.click("another")
        bench.until(bench.idle)
    first, second, third = results(colored)
    newest = bench.plugin.krita_api.result_layers.find_newest_result
    opened = bench.app.active_document()
    lines = colored.topLevelNodes()[-1]
    assert newest(opened, lines.uniqueId().toString()) == third
    third.setVisible(False)
    assert newest(opened, lines.uniqueId().toString()) == second
    first.setVisible(False)
    second.setVisible(False)
    assert newest(opened, lines.uniqueId().toString()) == third


def test_a_result_that_was_moved_or_taken_apart(bench: Bench, colored: Any, paper: Any) -> None:
    (group,) = results(colored)
    opened, lines = bench.app.active_document(), colored.topLevelNodes()[-1].uniqueId().toString()
    folder = paper.group(colored, "Old")
    group.remove()
    folder.addChildNode(group, None)
    assert bench.plugin.krita_api.result_layers.find_newest_result(opened, lines) == group
    child(group, "Foreground").setName("Character")
    assert bench.plugin.krita_api.result_layers.find_newest_result(opened, lines) is None


@pytest.mark.parametrize("depth", ["U8", "U16"])
def test_no_byte_outside_is_ever_converted(plugin: Any, paper: Any, app: Any, depth: str, tmp_path: Path) -> None:
    document = paper.document(depth=depth)
    group = paper.group(document, "Linewash 3 flats · mini")
    rng, each = np.random.default_rng(3), 4 if depth == "U8" else 8
    noise = {name: rng.integers(0, 256, (HEIGHT, WIDTH, each)).astype(np.uint8) for name in ("Background", "Foreground")}
    for name, pixels in noise.items():
        node = document.createNode(name, "paintlayer")
        node.setPixelData(pixels.tobytes(), 0, 0, WIDTH, HEIGHT)
        group.addChildNode(node, None)
    lines = paper.add(document, "Ink", ink())
    document.state.selection = Selection(selected(soft=True))
    file = tmp_path / "reference.png"
    cv2.imwrite(str(file), paint(30, 40))
    choices = plugin.state.choices.DockerState(
        lines=lines.uniqueId().toString(),
        references=(plugin.state.choices.Reference(path=str(file)),),
        area=plugin.state.choices.Area.SELECTION,
        foreground=plugin.state.choices.ForegroundChoice.SELECTION,
    )
    opened = app.active_document()
    request = plugin.transfer.layer_capture.build_request(opened, choices)
    assert request.foreground.value == "automatic"  # the selection says what to recolor, not what the foreground is
    before = state_of(document)
    _, previous = run(plugin.transfer.layer_capture.capture_layers(app, opened, choices, request))
    assert state_of(document) == before
    strips = [
        tuple(pixels[top : top + rows].tobytes() for top, rows in plugin.krita_api.pixel_data.strips(WIDTH, HEIGHT))
        for pixels in (paint(), paint(color=(1, 2, 3)))
    ]
    size, newer_name = (WIDTH, HEIGHT), "Linewash 3 flats, selection · mini"
    result = plugin.transfer.group_builder.ResultLayers(size, size, newer_name, lines.uniqueId().toString(), False, *strips)
    run(plugin.transfer.layer_writer.insert_result(app, opened, result, lambda: False, previous))
    newer = results(document)[1]
    mask = selected(soft=True) > 0
    for name, pixels in noise.items():
        after = layer_bytes(child(newer, name))
        assert np.array_equal(after[~mask], pixels[~mask]), name
        assert not np.array_equal(after[mask], pixels[mask]), name


def test_a_missing_part_is_named_and_changes_nothing(bench: Bench, document: Any, file: Path) -> None:
    bench.drop(file)
    bench.pick("area", "Selection")
    before = state_of(document)
    bench.click("color")
    assert bench.says().startswith("There is no earlier result to recolor.") and bench.idle()
    assert state_of(document) == before
    bench.pick("area", "Whole canvas")
    bench.click("color")
    bench.until(bench.idle)
    bench.pick("area", "Selection")
    bench.click("color")
    assert bench.says().startswith("Nothing is selected to recolor.")
    document.state.selection = Selection(np.zeros((HEIGHT, WIDTH), np.uint8))
    bench.click("color")
    bench.until(bench.idle)
    assert bench.says().startswith("Nothing is selected to recolor.")


def test_results_on_paper_are_recolored_too(bench: Bench, paper: Any, file: Path) -> None:
    document = paper.document(white=False)
    document.setActiveNode(paper.add(document, "Scan", scan()))
    bench.docker.refresh()
    bench.drop(file)
    bench.click("color")
    bench.until(bench.idle)
    document.state.selection = Selection(selected())
    bench.pick("area", "Selection")
    bench.click("color")
    bench.until(bench.idle)
    newer, older = results(document)
    assert newer.name() == "Linewash 0 painted, selection · mini" and newer.blendingMode() == "multiply"
    assert newer.visible() and not older.visible()


def test_while_recoloring_the_foreground_is_as_before(bench: Bench, colored: Any) -> None:
    bench.pick("foreground", "Selection")
    bench.pick("area", "Selection")
    box = bench.widget("foreground")
    assert [box.itemText(i) for i in range(box.count())] == ["As before", "Mask layer", "Layer alpha"]
    assert box.currentText() == "As before"
    bench.pick("area", "Whole canvas")
    assert box.currentText() == "Selection"


def test_hints_are_sent_and_never_taken_for_the_lines(bench: Bench, document: Any, file: Path, paper: Any) -> None:
    bench.drop(file)
    bench.click("color")
    bench.until(bench.idle)
    hints = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    hints[30:34, 40:44] = (9, 8, 250, 255)
    layer = paper.add(document, "Spots", hints)
    document.setActiveNode(layer)
    bench.docker.refresh()
    box = bench.widget("hints")
    assert [box.itemText(i) for i in range(box.count())] == ["None", "Spots", "Ink", "Colors", "Background"]
    bench.pick("hints", "Spots")
    assert bench.widget("lines").currentText() == "Automatic: Ink"
    bench.click("color")
    bench.until(bench.idle)
    assert bench.backend.request.hints
    sent = {name: cv2.imdecode(np.frombuffer(png, np.uint8), -1) for name, png in bench.backend.parts.items()}
    assert np.array_equal(sent["hints"], hints) and np.array_equal(sent["lines"], ink())


def test_an_empty_hints_layer_is_reported_and_a_deleted_one_forgotten(
    bench: Bench, document: Any, file: Path, paper: Any
) -> None:
    bench.drop(file)
    empty = paper.add(document, "Spots", np.zeros((HEIGHT, WIDTH, 4), np.uint8))
    bench.docker.refresh()
    bench.pick("hints", "Spots")
    bench.click("color")
    bench.until(bench.idle)
    assert bench.says().startswith("The hints layer is empty.")
    empty.remove()
    bench.docker.refresh()
    assert bench.widget("hints").currentText() == "None"


def test_variations_are_tried_and_gone_back_to(bench: Bench, document: Any, file: Path) -> None:
    box = bench.widget("variation")
    bench.click("another")
    assert bench.says().startswith("There is no reference.") and box.count() == 1
    bench.drop(file)
    bench.click("color")
    bench.until(bench.idle)
    assert bench.backend.request.seed == 0
    seeds = []
    for _ in range(2):
        bench.click("another")
        bench.until(bench.idle)
        seeds.append(bench.backend.request.seed)
    assert seeds[0] != seeds[1] and min(seeds) > 0 and max(seeds) < 10_000  # short enough for a layer's name
    texts = [box.itemText(i) for i in range(box.count())]
    assert texts == ["Most likely", "Seed %d" % seeds[1], "Seed %d" % seeds[0]]
    assert box.currentText() == texts[1]
    bench.pick("variation", texts[2])
    bench.click("color")
    bench.until(bench.idle)
    assert bench.backend.request.seed == seeds[0] and box.count() == 3


def test_no_variation_comes_twice(plugin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin.state.choices, "MAX_SEED", 3)
    choices = plugin.state.choices.DockerState()
    for _ in range(3):
        choices = choices.new_variation()
    assert sorted(choices.seeds) == [1, 2, 3] and choices.seed == choices.seeds[0]


def test_variations_of_an_earlier_day_are_found_in_the_document(bench: Bench, document: Any, paper: Any) -> None:
    for name in ("Linewash 4821 flats · mini", "Linewash 0 flats · mini", "Linewash my own", "Linewash 77 painted · mini"):
        paper.group(document, name)
    bench.docker.refresh()
    box = bench.widget("variation")
    assert [box.itemText(i) for i in range(box.count())] == ["Most likely", "Seed 77", "Seed 4821"]
