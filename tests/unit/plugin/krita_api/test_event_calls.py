"""Whatever happens inside a call of Krita's that handles events, the plugin goes on with what is there then."""

from collections.abc import Callable
from typing import Any

import pytest
from PyQt6.QtCore import QCoreApplication, QEvent

from tests.unit.plugin.bench import Bench
from tests.unit.plugin.conftest import GROUP, ink, paint, run, scan, state_of, tree

CALLS = 12
"""How many such calls one result on paper takes at least."""


@pytest.fixture
def interrupt(plugin: Any) -> Any:
    """Makes ``app`` handle an event in the call of that number (the first is 0), before or after what the call does."""

    def go(app: Any, number: int, event: Callable[[], Any], when: str = "after") -> Any:
        class Interrupted(plugin.krita_api.event_calls.EventCalls):  # type: ignore[misc, name-defined]
            count = -1

            def make(self, call: Callable[[], Any]) -> Any:
                self.count += 1
                is_now = self.count == number
                if is_now and when == "before":
                    event()
                value = call()
                if is_now and when == "after":
                    event()
                return value

        app.event_calls = Interrupted()
        return app.event_calls

    return go


def resize(document: Any, lines: Any) -> None:
    document.state.size = (200, 200)


def close(document: Any, lines: Any) -> None:
    document.close()


def delete(document: Any, lines: Any) -> None:
    lines.remove()


@pytest.mark.parametrize(
    ("accident", "code"),
    [(resize, "CANVAS_CHANGED"), (close, "DOCUMENT_CLOSED"), (delete, "LAYER_GONE")],
    ids=["resized", "closed", "line layer deleted"],
)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(CALLS))
def test_a_result_is_there_whole_or_not_at_all(
    plugin: Any,
    krita: Any,
    paper: Any,
    app: Any,
    result_for: Any,
    interrupt: Any,
    accident: Any,
    code: str,
    when: str,
    number: int,
) -> None:
    document, seen = paper.document(white=False), []
    lines = paper.add(document, "Scan", scan())
    asked = app.active_document()

    def happen() -> None:
        accident(document, lines)
        seen.append(state_of(document) if document.state.open else "")

    calls = interrupt(app, number, happen, when)
    try:
        run(plugin.transfer.layer_writer.insert_result(app, asked, result_for(lines, paper=True), lambda: False))
    except plugin.shared.errors.LinewashError as error:
        assert error.code is plugin.shared.errors.ErrorCode[code]
        assert seen == [state_of(document) if document.state.open else ""]
    else:
        assert seen or calls.count < number
        assert not document.state.open or GROUP in tree(document.rootNode())
    assert not [each for each in paper.krita.Krita.instance().documents() if each.state.name == "Linewash"]


def test_a_result_finds_its_place_again_when_layers_move_meanwhile(
    plugin: Any, paper: Any, app: Any, result_for: Any, interrupt: Any
) -> None:
    document = paper.document()
    below = paper.add(document, "Flats", paint())
    lines = paper.add(document, "Ink", ink())
    asked = app.active_document()
    insert = plugin.transfer.layer_writer.insert_result
    run(insert(app, asked, result_for(lines), lambda: False))
    document.undo()
    adding = interrupt(app, -1, lambda: None)
    run(insert(app, asked, result_for(lines), lambda: False))
    document.undo()
    # One of the last calls adds the group; what it was to lie above is deleted while it begins.
    interrupt(app, adding.count - 2, below.remove, "before")
    run(insert(app, asked, result_for(lines), lambda: False))
    assert tree(document.rootNode()) == ["Background", GROUP, "Ink"]


def test_two_tasks_that_need_a_scratch_document_at_once(plugin: Any, krita: Any, app: Any, interrupt: Any) -> None:
    made: list[Any] = []
    interrupt(app, 0, lambda: made.append(app.create_scratch_document()))
    made.append(app.create_scratch_document())
    assert len(made) == 2 and all(document.state.open for document in made)
    assert krita.Krita.instance().documents() == []


def test_a_task_cancelled_while_the_scratch_document_is_made(plugin: Any, krita: Any, app: Any) -> None:
    steps = app.prepare_scratch()
    steps.send(None)
    steps.close()
    assert krita.Krita.instance().documents() == []


def test_a_document_closed_while_hidden_results_show_again(
    plugin: Any, paper: Any, app: Any, result_for: Any, interrupt: Any, bench: Bench
) -> None:
    document = paper.document(white=False)
    lines = paper.add(document, "Scan", scan())
    controller, asked = bench.controller, bench.app.active_document()
    session, insert = controller.session(asked), plugin.transfer.layer_writer.insert_result
    for _ in range(2):
        written = run(insert(bench.app, asked, result_for(lines, paper=True), lambda: False))
        session.hidden_results.add(written)
    document.undo()

    def happen() -> None:
        session.hidden_results.add(plugin.krita_api.hidden_results.WrittenGroup("other", ("any",)))
        document.close()
        controller.poll_documents()

    calls = interrupt(bench.app, 0, happen)
    asked._event_calls = calls
    controller.poll_documents()
    assert calls.count == 0, "the projection was never computed anew"
    assert not controller._sessions


def test_a_docker_closed_while_a_thumbnail_is_converted(
    plugin: Any, paper: Any, bench: Bench, interrupt: Any, caplog: pytest.LogCaptureFixture
) -> None:
    document = paper.document(depth="U16")
    paper.add(document, "Colors", paint())
    document.setActiveNode(paper.add(document, "Ink", ink()))
    docker: Any = bench.docker
    docker.refresh()
    closed: list[bool] = []

    def happen() -> None:
        bench.docker = None
        docker.deleteLater()
        QCoreApplication.sendPostedEvents(docker, QEvent.Type.DeferredDelete)
        closed.append(True)

    interrupt(bench.app, 0, happen)
    bench.add_layer("Colors")
    bench.until(lambda: closed)
    bench.until(lambda: not bench.controller.loop.tasks)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
