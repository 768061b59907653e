"""One document's state: runs begin once, end once, and what comes late from an earlier one changes nothing."""

from typing import Any

import pytest


@pytest.fixture
def session(plugin: Any) -> Any:
    return plugin.state.session.Session(plugin.state.choices.DockerState())


def error(plugin: Any, code: str) -> Any:
    return plugin.shared.errors.LinewashError(plugin.shared.errors.ErrorCode[code])


def test_a_run_from_begin_to_finish(plugin: Any, session: Any) -> None:
    number = session.begin()
    assert session.busy and session.phase is plugin.state.session.Phase.CAPTURING
    assert session.advance(number, plugin.state.session.Phase.WORKING, "Coloring…")
    assert session.report(number, plugin.state.session.Progress("Coloring…", 0.5, "preview"))
    assert session.report(number, plugin.state.session.Progress("Coloring…", 0.6))
    assert session.progress.preview == "preview"
    assert session.finish(number, plugin.state.session.Message("Done."))
    assert not session.busy and session.message.text == "Done." and session.progress.preview is None


def test_a_second_run_cannot_begin_beside_the_first(session: Any) -> None:
    session.begin()
    with pytest.raises(ValueError, match="already"):
        session.begin()


@pytest.mark.parametrize("end", ["fail", "finish", "cancel"])
def test_a_run_ends_once(plugin: Any, session: Any, end: str) -> None:
    number = session.begin()
    ends = {
        "fail": lambda: session.fail(number, error(plugin, "BACKEND_GONE")),
        "finish": lambda: session.finish(number, plugin.state.session.Message("Done.")),
        "cancel": lambda: session.cancel(number),
    }
    assert ends[end]()
    message = session.message
    assert not any(again() for again in ends.values())
    assert session.message == message


def test_what_comes_late_from_a_cancelled_run_changes_nothing(plugin: Any, session: Any) -> None:
    old = session.begin()
    session.cancel(old)
    new = session.begin()
    assert not session.report(old, plugin.state.session.Progress("old"))
    assert not session.advance(old, plugin.state.session.Phase.WRITING, "old")
    assert not session.fail(old, error(plugin, "INTERNAL"))
    assert session.is_current(new) and session.phase is plugin.state.session.Phase.CAPTURING


def test_an_error_is_shown_with_its_sentence_and_hint(plugin: Any, session: Any) -> None:
    session.fail(session.begin(), error(plugin, "DISK_FULL"))
    row = plugin.shared.errors.ERRORS[plugin.shared.errors.ErrorCode.DISK_FULL]
    assert (session.message.text, session.message.hint) == (row.message, row.hint)
    assert session.message.severity is plugin.state.session.Severity.BAD


@pytest.mark.parametrize(
    ("stage", "step", "expected"),
    [("", 0, "Waiting"), ("prepare", 0, "Reading"), ("denoise", 3, "step 3 of 10"), ("new stage", 0, "Coloring")],
)
def test_every_stage_has_words(plugin: Any, stage: str, step: int, expected: str) -> None:
    protocol = plugin.shared.protocol
    status = protocol.JobStatus("x", protocol.JobState.RUNNING, stage=stage, step=step, steps=10)
    assert expected in plugin.state.session.describe_progress(status)


def layers(plugin: Any, *rows: tuple[str, str, str]) -> list[Any]:
    """(id, what, parent), where what is colors, mask or result."""
    layers = []
    for name, what, parent in rows:
        layers.append(plugin.krita_api.document.Layer(name, name, what != "mask", what == "mask", what == "result", parent))
    return layers


def test_the_line_layer_is_the_active_one_unless_another_is_chosen(plugin: Any, session: Any) -> None:
    rows = layers(plugin, ("ink", "colors", ""), ("paper", "colors", ""))
    assert session.line_layer(rows, "ink") == "ink"
    session.choices = plugin.state.choices.DockerState(lines="paper")
    assert session.line_layer(rows, "ink") == "paper"
    assert session.line_layer(rows[:1], "ink") == ""


def test_on_a_mask_the_line_layer_is_its_owner_and_in_a_result_the_last_one(plugin: Any, session: Any) -> None:
    rows = layers(plugin, ("ink", "colors", ""), ("mask", "mask", "ink"), ("group", "result", ""), ("fg", "result", "group"))
    assert session.line_layer(rows, "mask") == "ink"
    assert session.line_layer(rows, "fg") == ""
    session.last_lines = "ink"
    assert session.line_layer(rows, "fg") == session.line_layer(rows, "group") == "ink"
    assert session.line_layer(rows, "") == ""


def test_a_layer_that_is_there_for_something_else_is_not_taken_for_the_lines(plugin: Any, session: Any) -> None:
    rows = layers(plugin, *((name, "colors", "") for name in ("ink", "spots", "mask", "colors")))
    session.note_active_layer(rows, "ink")
    session.choose(hints="spots", foreground=plugin.state.choices.ForegroundChoice.MASK, foreground_layer="mask")
    session.choose(references=(plugin.state.choices.Reference(layer_id="colors"),))
    for active in ("spots", "mask", "colors"):
        assert session.line_layer(rows, active) == "ink", active
    assert session.line_layer(rows[1:2], "spots") == ""
    assert session.line_layer(rows[3:], "colors") == "colors"  # there is no other
    session.choose(hints="", foreground=plugin.state.choices.ForegroundChoice.AUTOMATIC)
    session.choose(more_masks=(plugin.state.choices.ForegroundMask(layer_id="mask"),))
    assert session.line_layer(rows, "mask") == "ink"
    session.choose(more_masks=())
    assert session.line_layer(rows, "mask") == "mask"
    session.choose(lines="spots")
    assert session.line_layer(rows, "ink") == "spots"


def test_work_on_masks_counts_as_work_on_the_layers_that_they_lie_on(plugin: Any, session: Any) -> None:
    masks = [("cut %d" % number, "mask", "colors") for number in range(6)]
    rows = layers(plugin, ("ink", "colors", ""), ("fade", "mask", "ink"), ("colors", "colors", ""), *masks)
    session.choose(references=(plugin.state.choices.Reference(layer_id="colors"),))
    for active in ("fade", *(name for name, *_ in masks)):
        session.note_active_layer(rows, active)
    assert session.line_layer(rows, "cut 5") == session.line_layer(rows, "colors") == "ink"


def test_hints_of_an_earlier_run_are_no_lines_when_they_are_switched_off(plugin: Any, session: Any) -> None:
    rows = layers(plugin, ("ink", "colors", ""), ("spots", "colors", ""))
    session.note_active_layer(rows, "ink")
    session.choose(hints="spots")
    session.choose(hints="")
    assert session.line_layer(rows, "spots") == "spots"  # they never were
    session.choose(hints="spots")
    session.finish(session.begin(), plugin.state.session.Message("Done."))
    session.choose(hints="")
    assert session.line_layer(rows, "spots") == "ink"


def test_a_complaint_disappears_once_the_painter_chooses_otherwise(plugin: Any, session: Any) -> None:
    session.reject(error(plugin, "EMPTY_SELECTION_MASK"))
    message = session.message
    session.choose(seed=0)  # which is what it was
    assert session.message == message
    session.choose(area=plugin.state.choices.Area.SELECTION)
    assert session.message == plugin.state.session.Message()
    session.fail(session.begin(), error(plugin, "DISK_FULL"))
    session.choose(seed=1)
    assert session.message.text == plugin.shared.errors.ERRORS[plugin.shared.errors.ErrorCode.DISK_FULL].message
