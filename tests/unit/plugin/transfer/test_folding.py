"""Earlier results are folded in the Layers docker."""

from typing import Any

from tests.unit.plugin.conftest import ink, scan


def test_what_is_hidden_is_folded_away(paper: Any, write: Any, result_for: Any) -> None:
    document = paper.document(white=False)
    lines = paper.add(document, "Scan", scan())
    write(result_for(lines, paper=True))
    write(result_for(lines, paper=True))
    assert [node.collapsed() for node in document.topLevelNodes()] == [False, False, True]


def test_what_lies_under_a_newer_result_is_folded_away_once(paper: Any, write: Any, result_for: Any) -> None:
    document = paper.document()
    lines = paper.add(document, "Ink", ink())
    for _ in range(2):
        write(result_for(lines))
    assert [node.collapsed() for node in document.topLevelNodes()] == [False, True, False, False]
    document.topLevelNodes()[1].setCollapsed(False)
    write(result_for(lines))
    folded = [node.collapsed() for node in document.topLevelNodes()]
    assert folded == [False, False, True, False, False]  # what the painter has unfolded stays so
