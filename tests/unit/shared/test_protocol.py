"""Requests and states survive JSON, and nothing malformed gets past ``from_json``."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ErrorCode, LinewashError
from shared.line_preparation import LinePreparation
from shared.protocol import (
    LAYERS,
    MAX_REFERENCES,
    MAX_SIDE,
    MIN_SIDE,
    REQUEST_PARAMETERS,
    ColorizeRequest,
    Finish,
    ForegroundSource,
    JobState,
    JobStatus,
    ReferenceRole,
)
from shared.request_parts import RequestParts, part_names

SIDES = st.integers(MIN_SIDE, MAX_SIDE)
REQUESTS = st.builds(
    lambda recolor, **fields: ColorizeRequest(selection_mask=recolor, previous=recolor, **fields),
    recolor=st.booleans(),
    hints=st.booleans(),
    width=SIDES,
    height=SIDES,
    references=st.lists(st.sampled_from(ReferenceRole), min_size=1, max_size=MAX_REFERENCES).map(tuple),
    foreground=st.sampled_from(ForegroundSource),
    model=st.text(max_size=20),
    finish=st.sampled_from(Finish),
    seed=st.integers(0, 2**63 - 1),
    steps=st.integers(1, 200),
    guidance=st.floats(1.0, 20.0),
    gap=st.floats(0.0, 0.1),
    merging=st.floats(0.0, 8.0),
    mode=st.text(max_size=20),
    preparation=st.sampled_from(LinePreparation),
    parameters=st.dictionaries(
        st.text(max_size=20).filter(lambda name: name not in REQUEST_PARAMETERS),
        st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
        max_size=4,
    ),
)
STATES = st.builds(
    JobStatus,
    id=st.text(),
    state=st.sampled_from(JobState),
    revision=st.integers(0),
    progress=st.floats(0.0, 1.0),
    warnings=st.lists(st.text()).map(tuple),
    layers=st.sampled_from([(), LAYERS]),
    seconds=st.dictionaries(st.text(), st.floats(0.0, 1e6)),
    error=st.none(),
)
FITTING = {"width": 640, "height": 480, "references": ["both"]}


@given(REQUESTS)
def test_a_request_survives_json(request: ColorizeRequest) -> None:
    assert ColorizeRequest.from_json(json.loads(json.dumps(request.to_json()))) == request


@given(STATES)
def test_a_status_survives_json(status: JobStatus) -> None:
    assert JobStatus.from_json(json.loads(json.dumps(status.to_json()))) == status


@given(STATES, st.sampled_from(ErrorCode), st.text())
def test_a_failed_status_keeps_its_error(status: JobStatus, code: ErrorCode, detail: str) -> None:
    again = JobStatus.from_json(json.loads(json.dumps(replace(status, error=LinewashError(code, detail)).to_json())))
    assert again.error is not None and (again.error.code, again.error.detail) == (code, detail)


def test_a_status_of_a_newer_server_is_read() -> None:
    assert JobStatus.from_json({"id": "a", "state": "running", "mood": "sunny"}) == JobStatus("a", JobState.RUNNING)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(sorted(FITTING)), inner),
        max_leaves=10,
    )
)
def test_anything_else_is_refused_by_name(data: object) -> None:
    try:
        ColorizeRequest.from_json(data)
    except LinewashError as error:
        assert error.code in (
            ErrorCode.BAD_REQUEST,
            ErrorCode.CANVAS_TOO_LARGE,
            ErrorCode.CANVAS_TOO_SMALL,
            ErrorCode.NO_REFERENCE,
            ErrorCode.TOO_MANY_REFERENCES,
            ErrorCode.NO_PREVIOUS,
        )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"width": MAX_SIDE + 1}, ErrorCode.CANVAS_TOO_LARGE),
        ({"height": 10**30}, ErrorCode.BAD_REQUEST),
        ({"height": MIN_SIDE - 1}, ErrorCode.CANVAS_TOO_SMALL),
        ({"width": -5}, ErrorCode.CANVAS_TOO_SMALL),
        ({"width": 640.0}, ErrorCode.BAD_REQUEST),
        ({"width": True}, ErrorCode.BAD_REQUEST),
        ({"references": []}, ErrorCode.NO_REFERENCE),
        ({"references": ["both"] * (MAX_REFERENCES + 1)}, ErrorCode.TOO_MANY_REFERENCES),
        ({"references": ["sideways"]}, ErrorCode.BAD_REQUEST),
        ({"references": [[]]}, ErrorCode.BAD_REQUEST),
        ({"references": "both"}, ErrorCode.BAD_REQUEST),
        ({"seed": -1}, ErrorCode.BAD_REQUEST),
        ({"seed": 2**63}, ErrorCode.BAD_REQUEST),
        ({"steps": 201}, ErrorCode.BAD_REQUEST),
        ({"guidance": float("nan")}, ErrorCode.BAD_REQUEST),
        ({"guidance": float("inf")}, ErrorCode.BAD_REQUEST),
        ({"guidance": "1.5"}, ErrorCode.BAD_REQUEST),
        ({"gap": 0.11}, ErrorCode.BAD_REQUEST),
        ({"merging": 8.5}, ErrorCode.BAD_REQUEST),
        ({"finish": "glitter"}, ErrorCode.BAD_REQUEST),
        ({"foreground": None}, ErrorCode.BAD_REQUEST),
        ({"model": 3}, ErrorCode.BAD_REQUEST),
        ({"hints": 1}, ErrorCode.BAD_REQUEST),
        ({"selection_mask": "yes", "previous": True}, ErrorCode.BAD_REQUEST),
        ({"selection_mask": True}, ErrorCode.NO_PREVIOUS),
        ({"previous": True}, ErrorCode.BAD_REQUEST),
        ({"mode": 1}, ErrorCode.BAD_REQUEST),
        ({"mode": "m" * 501}, ErrorCode.BAD_REQUEST),
        ({"parameters": [1]}, ErrorCode.BAD_REQUEST),
        ({"parameters": {"deep": {}}}, ErrorCode.BAD_REQUEST),
        ({"parameters": {"empty": None}}, ErrorCode.BAD_REQUEST),
        ({"parameters": {"far": float("inf")}}, ErrorCode.BAD_REQUEST),
        ({"parameters": {"long": "x" * 501}}, ErrorCode.BAD_REQUEST),
        ({"parameters": {"x" * 501: 1}}, ErrorCode.BAD_REQUEST),
        ({"parameters": {str(number): number for number in range(65)}}, ErrorCode.BAD_REQUEST),
        ({"preparation": "charcoal"}, ErrorCode.BAD_REQUEST),
        ({"preparation": None}, ErrorCode.BAD_REQUEST),
        ({"extra": 0}, ErrorCode.BAD_REQUEST),
    ],
)
def test_each_limit_has_its_code(changes: dict[str, object], code: ErrorCode) -> None:
    with pytest.raises(LinewashError) as caught:
        ColorizeRequest.from_json(FITTING | changes)
    assert caught.value.code is code


@pytest.mark.parametrize("missing", sorted(FITTING))
def test_size_and_references_are_required(missing: str) -> None:
    with pytest.raises(LinewashError) as caught:
        ColorizeRequest.from_json({name: value for name, value in FITTING.items() if name != missing})
    assert caught.value.code is ErrorCode.BAD_REQUEST


def test_the_limits_themselves_are_allowed() -> None:
    for side in (MIN_SIDE, MAX_SIDE):
        assert ColorizeRequest.from_json(FITTING | {"width": side, "height": side}).width == side


def test_three_states_are_terminal() -> None:
    assert {state for state in JobState if state.terminal} == {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


def test_an_older_request_has_no_hints_and_no_selection_and_reads_the_same() -> None:
    plain = ColorizeRequest.from_json(FITTING)
    assert not (plain.hints or plain.selection_mask or plain.previous)
    assert plain.mode == "" and not plain.parameters
    assert plain.preparation is LinePreparation.AS_DRAWN
    assert not {"hints", "selection_mask", "previous", "mode", "parameters", "preparation"} & set(plain.to_json())


def test_the_parts_of_a_request() -> None:
    plain = ColorizeRequest.from_json(FITTING)
    assert part_names(plain) == ("lines", "reference0")
    full = replace(plain, foreground=ForegroundSource.MASK, hints=True, selection_mask=True, previous=True)
    extra = ("foreground", "hints", "selection_mask", "previous_foreground", "previous_background")
    assert part_names(full) == ("lines", "reference0", *extra)
    both = replace(plain, foreground=ForegroundSource.MASK_AND_AUTOMATIC)
    assert part_names(both) == ("lines", "reference0", "foreground")


def test_parts_are_collected_by_name_and_given_back_by_name() -> None:
    full = ColorizeRequest.from_json(FITTING | {"hints": True, "selection_mask": True, "previous": True})
    parts = RequestParts.collect(full, lambda name: "the " + name)
    assert parts.by_name() == {name: "the " + name for name in part_names(full)}
    assert (parts.lines, parts.references, parts.foreground) == ("the lines", ("the reference0",), None)
