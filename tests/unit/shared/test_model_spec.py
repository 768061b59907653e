"""A model's spec survives JSON, and values are checked against it."""

import json
import pickle
from dataclasses import replace

import pytest

from shared.errors import ErrorCode, LinewashError
from shared.model_spec import ModeInfo, ModelInfo, ParameterInfo, Value, find_mode, parse_assignments, resolve
from shared.protocol import ColorizeRequest, ReferenceRole, default_values, replace_parameters, resolve_values

MODES = (
    ModeInfo("vanilla", "Plain", "One reference for all."),
    ModeInfo("both", "Both", "Foreground and background apart.", ("mask", "background reference")),
)
STRENGTH = ParameterInfo("strength", "Strength", "How much of the reference.", "number", 1.0, 0.0, 2.0, 0.05)
SHOTS = ParameterInfo("shots", "Shots", "How many.", "integer", 3, 1, 9)
TILED = ParameterInfo("tiled", "Tiled", "Decode in pieces.", "switch", False, advanced=True)
SAMPLER = ParameterInfo("sampler", "Sampler", "Who steps.", "choice", "ddim", choices=(("ddim", "DDIM"), ("euler", "Euler")))
MERGE = ParameterInfo("merge", "Merge", "How far the halves mix.", "number", 0.0, modes=("both",))
NOTE = ParameterInfo("note", "Note", "Words.", "text", "")
PARAMETERS = (STRENGTH, SHOTS, TILED, SAMPLER, MERGE, NOTE)
MODEL = ModelInfo(
    "tiny", "Tiny", "MIT", ["painted"], False, "CLIP is missing", "v1.5", MODES, PARAMETERS, "tiny.safetensors", 7
)


def detail_of(call: object, *given: object, code: ErrorCode = ErrorCode.BAD_SETTING) -> str:
    with pytest.raises(LinewashError) as caught:
        call(*given)  # type: ignore[operator]
    assert caught.value.code is code
    return caught.value.detail


def test_a_model_survives_json() -> None:
    assert ModelInfo.from_json(json.loads(json.dumps(MODEL.to_json()))) == MODEL


def test_a_model_of_an_older_server_has_no_modes_and_one_of_a_newer_server_is_read() -> None:
    row = {
        "name": "mini",
        "title": "Mini",
        "license": "MIT",
        "finishes": ["flats"],
        "ready": True,
        "reason": "",
        "mood": "sunny",
    }
    assert ModelInfo.from_json(row) == ModelInfo("mini", "Mini", "MIT", ["flats"], True)
    newer = replace(MODEL, modes=MODES[:1], parameters=(TILED,)).to_json()
    newer["modes"][0]["mood"] = newer["parameters"][0]["mood"] = "sunny"
    assert ModelInfo.from_json(newer) == replace(MODEL, modes=MODES[:1], parameters=(TILED,))


@pytest.mark.parametrize(
    ("parameter", "value", "settled"),
    [
        (STRENGTH, 2, 2.0),
        (STRENGTH, 0.0, 0.0),
        (SHOTS, 9, 9),
        (TILED, True, True),
        (SAMPLER, "euler", "euler"),
        (NOTE, "x", "x"),
    ],
)
def test_an_allowed_value_is_given_on(parameter: ParameterInfo, value: Value, settled: Value) -> None:
    assert parameter.check(value) == settled
    assert type(parameter.check(value)) is type(settled)


@pytest.mark.parametrize(
    ("parameter", "value", "says"),
    [
        (STRENGTH, 2.01, "strength=2.01 is outside 0..2"),
        (STRENGTH, float("nan"), "outside"),
        (STRENGTH, True, "not a number"),
        (STRENGTH, "1", "not a number"),
        (SHOTS, 3.0, "not an integer"),
        (SHOTS, 0, "outside 1..9"),
        (TILED, 1, "neither true nor false"),
        (SAMPLER, "magic", "none of ddim, euler"),
        (SAMPLER, 1, "no text"),
        (NOTE, "x" * 501, "500"),
    ],
)
def test_any_other_value_is_refused_with_the_reason(parameter: ParameterInfo, value: Value, says: str) -> None:
    assert says in detail_of(parameter.check, value)


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [(STRENGTH, "0.5", 0.5), (SHOTS, "4", 4), (TILED, "on", True), (TILED, "False", False), (SAMPLER, "ddim", "ddim")],
)
def test_a_typed_value_is_read(parameter: ParameterInfo, text: str, value: Value) -> None:
    assert parameter.parse(text) == value


@pytest.mark.parametrize(("parameter", "text"), [(STRENGTH, "lots"), (STRENGTH, "nan"), (SHOTS, "1.5"), (TILED, "maybe")])
def test_a_mistyped_value_is_refused(parameter: ParameterInfo, text: str) -> None:
    assert parameter.name in detail_of(parameter.parse, text)


def test_every_parameter_of_the_mode_gets_a_value() -> None:
    assert resolve(MODES, PARAMETERS, "both", {"merge": 0.25, "shots": 4}) == {
        "strength": 1.0, "shots": 4, "tiled": False, "sampler": "ddim", "merge": 0.25, "note": ""
    }  # fmt: skip
    assert "merge" not in resolve(MODES, PARAMETERS, "", {})
    assert resolve((), (SHOTS,), "", {}) == {"shots": 3}


def test_what_the_mode_does_not_have_is_refused() -> None:
    assert "merge" in detail_of(resolve, MODES, PARAMETERS, "vanilla", {"merge": 0.25})
    assert "glitter" in detail_of(resolve, MODES, PARAMETERS, "both", {"glitter": 1})
    assert "vanilla, both" in detail_of(resolve, MODES, PARAMETERS, "sideways", {})
    assert "no modes" in detail_of(find_mode, (), "vanilla")


def test_values_are_frozen_and_survive_a_pipe() -> None:
    given: dict[str, Value] = {"b": 2.0, "a": True}
    request = ColorizeRequest(64, 64, (ReferenceRole.BOTH,), parameters=given)
    given["c"] = 1
    again = pickle.loads(pickle.dumps(request))  # noqa: S301  its own bytes, as over the pipe to a worker
    assert dict(request.parameters) == {"a": True, "b": 2.0}
    assert again == request and hash(again) == hash(request)
    assert not hasattr(request.parameters, "__setitem__")


def test_a_model_may_describe_fields_of_the_request_with_limits_of_its_own() -> None:
    steps = ParameterInfo("steps", "Steps", "How many.", "integer", 20, 1, 100)
    request = replace_parameters(ColorizeRequest(64, 64, (ReferenceRole.BOTH,)), {"steps": 30, "shots": 4})
    assert (request.steps, dict(request.parameters)) == (30, {"shots": 4})
    assert resolve_values(request, (), (steps, SHOTS)) == {"steps": 30, "shots": 4}
    assert resolve_values(request, (), (SHOTS,)) == {"shots": 4}
    assert "outside 1..100" in detail_of(resolve_values, replace(request, steps=150), (), (steps, SHOTS))
    twice = dict(request.to_json(), parameters={"steps": 4})
    assert "fields" in detail_of(ColorizeRequest.from_json, twice, code=ErrorCode.BAD_REQUEST)
    assert default_values((), (steps, SHOTS), "") == {"steps": 20}


def test_texts_spell_values_of_the_mode() -> None:
    texts = ("strength=0.5", "tiled=on", "merge=1", "note=a=b")
    assert parse_assignments(MODES, PARAMETERS, "both", texts) == {"strength": 0.5, "tiled": True, "merge": 1.0, "note": "a=b"}
    assert "NAME=VALUE" in detail_of(parse_assignments, MODES, PARAMETERS, "both", ("strength",))
    assert "merge is none of: strength" in detail_of(parse_assignments, MODES, PARAMETERS, "vanilla", ("merge=1",))
    assert "outside" in detail_of(parse_assignments, MODES, PARAMETERS, "both", ("strength=3",))
    assert "nothing can be set" in detail_of(parse_assignments, (), (), "", ("strength=1",))
