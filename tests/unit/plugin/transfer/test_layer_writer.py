"""The result becomes one group in the right place, in one undo step, or nothing at all."""

from typing import Any

import numpy as np
import pytest

from tests.unit.plugin.conftest import GROUP, ink, paint, run, scan, state_of, tree


def pixels_of(node: Any, size: tuple[int, int] = (96, 80)) -> np.ndarray:
    return node.data.read(0, 0, *size)


def test_transparent_lines_get_the_group_directly_below(paper: Any, write: Any, result_for: Any) -> None:
    document = paper.document()
    paper.add(document, "Sketch", paint())
    lines = paper.add(document, "Ink", ink())
    paper.add(document, "Notes", ink())
    document.setActiveNode(lines)
    before = state_of(document)
    write(result_for(lines))
    assert tree(document.rootNode()) == ["Background", "Sketch", GROUP, "Ink", "Notes"]
    assert document.undo_texts() == ["Add Layer"]
    assert document.state.modified
    assert document.activeNode() == lines
    document.undo()
    document.state.modified = False
    assert state_of(document) == before


@pytest.mark.parametrize("depth", ["U8", "U16"])
def test_the_pixels_arrive_in_the_documents_own_space(paper: Any, write: Any, result_for: Any, depth: str) -> None:
    document = paper.document(depth=depth)
    lines = paper.add(document, "Ink", ink())
    write(result_for(lines))
    background, foreground = document.topLevelNodes()[1].childNodes()
    factor = 1 if depth == "U8" else 257
    for node, expected in ((background, paint(80, 96, (90, 60, 30))), (foreground, None)):
        got = np.ascontiguousarray(pixels_of(node))
        got = got if depth == "U8" else got.view("<u2")
        if expected is not None:
            assert np.array_equal(got, expected.astype(int) * factor)
        assert node.colorDepth() == depth
    assert document.undo_texts() == ["Add Layer"]


def test_lines_inside_nested_groups(paper: Any, write: Any, result_for: Any) -> None:
    document = paper.document()
    outer = paper.group(document, "Page")
    inner = paper.group(document, "Panel", outer)
    paper.add(document, "tone", paint(), inner)
    lines = paper.add(document, "Ink", ink(), inner)
    write(result_for(lines))
    assert tree(document.rootNode()) == ["Background", ("Page", [("Panel", ["tone", GROUP, "Ink"])])]
    assert document.undo_texts() == ["Add Layer"]


def test_a_group_as_lines(paper: Any, write: Any, result_for: Any) -> None:
    document = paper.document()
    group = paper.group(document, "Drawing")
    paper.add(document, "Ink", ink(), group)
    write(result_for(group))
    assert tree(document.rootNode()) == ["Background", GROUP, ("Drawing", ["Ink"])]


def test_a_drawing_on_paper_gets_the_group_above_in_multiply(paper: Any, write: Any, result_for: Any) -> None:
    document = paper.document(white=False)
    lines = paper.add(document, "Background", scan())
    assert write(result_for(lines, paper=True)).hidden == ()
    assert tree(document.rootNode()) == ["Background", GROUP]
    assert document.topLevelNodes()[1].blendingMode() == "multiply"
    assert document.undo_texts() == ["Add Layer"]
    assert np.array_equal(pixels_of(lines), scan())


def test_a_second_result_on_paper_hides_the_first(paper: Any, write: Any, result_for: Any) -> None:
    document = paper.document(white=False)
    lines = paper.add(document, "Scan", scan())
    first = write(result_for(lines, paper=True))
    assert write(result_for(lines, paper=True)).hidden == (first.group,)
    assert [node.visible() for node in document.topLevelNodes()] == [True, True, False]


def test_undoing_and_redoing_the_second_shows_and_hides_the_first(
    plugin: Any, paper: Any, app: Any, write: Any, result_for: Any
) -> None:
    document = paper.document(white=False)
    lines = paper.add(document, "Scan", scan())
    write(result_for(lines, paper=True))
    first, hidden_results, opened = state_of(document), plugin.krita_api.hidden_results.HiddenResults(), app.active_document()
    hidden_results.add(write(result_for(lines, paper=True)))
    hidden_results.sync_visibility(opened)
    assert [node.visible() for node in document.topLevelNodes()] == [True, True, False]
    second = document.topLevelNodes()[1]
    document.undo()
    document.state.idle = False
    hidden_results.sync_visibility(opened)  # Krita computes: nothing may wait for it
    assert not document.topLevelNodes()[1].visible()
    document.state.idle = True
    hidden_results.sync_visibility(opened)
    assert state_of(document) == first
    second.data.parent = None
    document.rootNode().addChildNode(second, lines)
    hidden_results.sync_visibility(opened)
    assert [node.visible() for node in document.topLevelNodes()] == [True, True, False]


def test_what_the_painter_shows_again_stays_shown(plugin: Any, paper: Any, app: Any, write: Any, result_for: Any) -> None:
    document = paper.document(white=False)
    lines = paper.add(document, "Scan", scan())
    write(result_for(lines, paper=True))
    hidden_results = plugin.krita_api.hidden_results.HiddenResults()
    hidden_results.add(write(result_for(lines, paper=True)))
    document.topLevelNodes()[2].setVisible(True)
    hidden_results.sync_visibility(app.active_document())
    assert document.topLevelNodes()[2].visible()


def test_a_second_result_under_transparent_lines_covers_the_first(paper: Any, write: Any, result_for: Any) -> None:
    document = paper.document()
    lines = paper.add(document, "Ink", ink())
    write(result_for(lines))
    assert write(result_for(lines)).hidden == ()
    assert tree(document.rootNode()) == ["Background", GROUP, GROUP, "Ink"]
    assert all(node.visible() for node in document.topLevelNodes())


def test_transparent_lines_that_are_the_lowest_layer_take_two_steps(paper: Any, write: Any, result_for: Any) -> None:
    document = paper.document(white=False)
    lines = paper.add(document, "Ink", ink())
    write(result_for(lines))
    assert tree(document.rootNode()) == [GROUP, "Ink"]
    assert document.topLevelNodes()[0].blendingMode() == "normal"
    assert document.undo_texts() == ["Add Layer", "Lower Nodes"]
    assert document.activeNode() == lines


def test_the_lowest_lines_of_a_drawing_in_the_background_get_multiply(
    krita: Any, plugin: Any, paper: Any, app: Any, result_for: Any
) -> None:
    document = paper.document(white=False)
    lines = paper.add(document, "Ink", ink())
    opened = app.active_document()
    paper.document()
    run(plugin.transfer.layer_writer.insert_result(app, opened, result_for(lines), lambda: False))
    assert tree(document.rootNode()) == ["Ink", GROUP]
    assert document.topLevelNodes()[1].blendingMode() == "multiply"


def test_a_layer_the_painter_took_meanwhile_stays_the_active_one(paper: Any, write: Any, result_for: Any) -> None:
    document = paper.document()
    other = paper.add(document, "Other", paint())
    lines = paper.add(document, "Ink", ink())
    document.setActiveNode(lines)

    def take_other() -> None:
        if len(document.topLevelNodes()) == 4:
            document.setActiveNode(other)

    write(result_for(lines), take_other)
    assert document.activeNode() == other


def test_nothing_is_added_while_the_painter_paints(paper: Any, write: Any, result_for: Any) -> None:
    document = paper.document()
    lines = paper.add(document, "Ink", ink())
    asked: list[int] = []

    def painting() -> bool:
        asked.append(len(document.topLevelNodes()))
        return len(asked) < 5

    write(result_for(lines), painting=painting)
    assert asked == [2] * 5
    assert GROUP in tree(document.rootNode())


def test_nothing_is_added_while_krita_computes(paper: Any, write: Any, result_for: Any) -> None:
    document = paper.document()
    lines = paper.add(document, "Ink", ink())
    document.state.idle = False
    counts: list[int] = []

    def between() -> None:
        counts.append(len(document.topLevelNodes()))
        document.state.idle = len(counts) > 20

    write(result_for(lines), between)
    assert counts[:20] == [2] * 20
    assert GROUP in tree(document.rootNode())


def resize(document: Any, lines: Any) -> None:
    document.state.size = (100, 80)


def close(document: Any, lines: Any) -> None:
    document.close()


def delete(document: Any, lines: Any) -> None:
    if lines.parentNode() is not None:
        lines.remove()


@pytest.mark.parametrize(
    ("accident", "code"),
    [(resize, "CANVAS_CHANGED"), (close, "DOCUMENT_CLOSED"), (delete, "LAYER_GONE")],
    ids=["resized", "closed", "line layer deleted"],
)
@pytest.mark.parametrize("when", [0, 1, 5, 12])
def test_a_failure_while_writing_leaves_no_trace(
    krita: Any, plugin: Any, paper: Any, app: Any, result_for: Any, accident: Any, code: str, when: int
) -> None:
    size = (900, 800)
    document = paper.document(*size)
    lines = paper.add(document, "Ink", ink(800, 900))
    steps = plugin.transfer.layer_writer.insert_result(app, app.active_document(), result_for(lines, size=size), lambda: False)
    with pytest.raises(plugin.shared.errors.LinewashError) as caught:
        for _ in range(when):
            steps.send(None)
        assert not any(name == GROUP for name in tree(document.rootNode() or document.createGroupLayer("closed")))
        accident(document, lines)
        before = state_of(document) if document.state.open else ""
        run(steps)
    assert caught.value.code is plugin.shared.errors.ErrorCode[code]
    if document.state.open:
        assert state_of(document) == before
    assert [each.state.name for each in krita.Krita.instance().documents()].count("Linewash") == 0


def test_an_abandoned_write_leaves_nothing_open(krita: Any, plugin: Any, paper: Any, app: Any, result_for: Any) -> None:
    document = paper.document()
    lines = paper.add(document, "Ink", ink())
    before = state_of(document)
    steps = plugin.transfer.layer_writer.insert_result(app, app.active_document(), result_for(lines), lambda: False)
    for _ in range(3):
        steps.send(None)
    steps.close()
    assert state_of(document) == before
    assert krita.Krita.instance().documents() == [document]


def test_krita_not_taking_the_group_is_an_error_without_a_trace(
    krita: Any, plugin: Any, paper: Any, app: Any, result_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = paper.document(white=False)
    lines = paper.add(document, "Scan", scan())
    run(plugin.transfer.layer_writer.insert_result(app, app.active_document(), result_for(lines, paper=True), lambda: False))
    before = state_of(document)
    node_class = type(lines)
    original = node_class.addChildNode

    def refuse(self: Any, child: Any, above: Any) -> bool:
        return True if self.data.image is document else original(self, child, above)

    monkeypatch.setattr(node_class, "addChildNode", refuse)
    with pytest.raises(plugin.shared.errors.LinewashError) as caught:
        run(
            plugin.transfer.layer_writer.insert_result(app, app.active_document(), result_for(lines, paper=True), lambda: False)
        )
    assert caught.value.code is plugin.shared.errors.ErrorCode.INTERNAL
    assert state_of(document) == before
