"""Lines that the line layer does not show lie on the colors, and results with and without them take turns."""

from typing import Any

import numpy as np
import pytest

from tests.unit.plugin.conftest import ink, paint, run, scan, state_of, tree


@pytest.fixture
def write(plugin: Any, app: Any) -> Any:
    """``write(lines, extracted)``: a result for a drawing on paper; its own lines as BGRA pixels, or None."""

    def go(lines: Any, extracted: Any) -> Any:
        size = (96, 80)
        strips = [
            None if pixels is None else tuple(pixels[y : y + h].tobytes() for y, h in plugin.krita_api.pixel_data.strips(*size))
            for pixels in (paint(), paint(color=(90, 60, 30)), extracted)
        ]
        result = plugin.transfer.group_builder.ResultLayers(
            size, size, "Linewash 7 flats · mini", lines.uniqueId().toString(), True, *strips
        )
        return run(plugin.transfer.layer_writer.insert_result(app, app.active_document(), result, lambda: False))

    return go


def test_they_lie_on_the_colors_above_the_drawing(paper: Any, write: Any) -> None:
    document = paper.document()
    photo = paper.add(document, "Photo", paint())
    paper.add(document, "Notes", ink())
    before = state_of(document)
    write(photo, ink())
    group = ("Linewash 7 flats · mini", ["Background", "Foreground", "Lines"])
    assert tree(document.rootNode()) == ["Background", "Photo", group, "Notes"]
    node = document.topLevelNodes()[2]
    assert node.blendingMode() == "normal"
    assert np.array_equal(node.childNodes()[2].data.read(0, 0, 96, 80), ink())
    assert document.undo_texts() == ["Add Layer"]
    document.undo()
    document.state.modified = False
    assert state_of(document) == before


def test_results_with_and_without_them_hide_each_other(paper: Any, write: Any) -> None:
    document = paper.document(white=False)
    lines = paper.add(document, "Scan", scan())
    first = write(lines, None)
    second = write(lines, ink())
    assert second.hidden == (first.group,)
    assert write(lines, None).hidden == (second.group,)
    assert [node.visible() for node in document.topLevelNodes()] == [True, True, False, False]
    assert [node.blendingMode() for node in document.topLevelNodes()[1:]] == ["multiply", "normal", "multiply"]


def test_a_layer_that_is_only_called_so_stays(paper: Any, write: Any) -> None:
    document = paper.document(white=False)
    lines = paper.add(document, "Scan", scan())
    paper.add(document, "Linewash notes", ink())
    assert write(lines, ink()).hidden == ()
    assert all(node.visible() for node in document.topLevelNodes())
