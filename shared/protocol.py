"""The contract between plugin and backend: requests, states, events, limits and version.

``POST /v1/jobs`` takes a multipart body: one part ``request`` (JSON, ``ColorizeRequest``) and the PNG parts of
``request_parts.RequestParts``.  The header ``Idempotency-Key`` makes a repeated POST answer with the first job.  See
docs/http_api.md.
"""

from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from .errors import ErrorCode, LinewashError, error_from_json
from .line_preparation import LinePreparation
from .model_spec import MAX_TEXT, NO_VALUES, ModeInfo, ParameterInfo, ParameterValues, Value, find_mode, resolve

PROTOCOL_VERSION = 2
"""Raised whenever a message changes meaning; a client and a server of different numbers refuse each other (426)."""

PRODUCT = "linewash"
PRODUCT_VERSION = "0.1.0"

MIN_SIDE, MAX_SIDE = 64, 8192
"""Canvas size limits, pixels a side, inclusive."""
MAX_REFERENCES = 8
MAX_REFERENCE_SIDE = 8192
MAX_PART_BYTES = 300 * 1024 * 1024
"""Bytes of one PNG part: an uncompressed 8192 x 8192 RGBA image fits."""
MAX_REQUEST_BYTES = 640 * 1024 * 1024
MAX_JSON_BYTES = 64 * 1024
MAX_WAIT_S = 30.0
"""Longest long-poll, seconds."""
MAX_QUEUED = 16

TOKEN_HEADER = "X-Linewash-Token"
VERSION_HEADER = "X-Linewash-Protocol"
IDEMPOTENCY_HEADER = "Idempotency-Key"

LAYER_FOREGROUND, LAYER_BACKGROUND, LAYER_COMPOSITE = "foreground", "background", "composite"
"""Names of the result layers, canvas size RGBA PNG; ``composite`` is foreground over background, without lines."""
LAYERS = (LAYER_FOREGROUND, LAYER_BACKGROUND, LAYER_COMPOSITE)
LAYER_LINES = "lines"
"""One more where ``LinePreparation.produces_lines``: the lines as they were read, black on transparency."""


class JobState(str, Enum):
    """A job is queued, then running, then exactly one of the three terminal states, for ever."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """Whether the job will never change again."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class Finish(str, Enum):
    """How the color is laid: one flat color a region, or painted shading on top of the flats."""

    FLATS = "flats"
    PAINTED = "painted"


class ReferenceRole(str, Enum):
    """Which part of the drawing may take its colors from a reference."""

    BOTH = "both"
    FOREGROUND = "foreground"
    BACKGROUND = "background"


class ForegroundSource(str, Enum):
    """Where the foreground mask comes from: a ``foreground`` part in the request, or the model's own guess."""

    MASK = "mask"
    AUTOMATIC = "automatic"


REQUEST_PARAMETERS = ("steps", "guidance", "gap", "merging")
"""Fields of a request that a model may describe as its parameters, with a range and a default of its own."""

_FLAGS = ("hints", "selection_mask", "previous")
_OMIT_WHEN_DEFAULT = (*_FLAGS, "mode", "parameters", "preparation")
"""Fields that older backends do not know; they are left out where they say nothing."""


def _check(condition: bool, detail: str) -> None:
    if not condition:
        raise LinewashError(ErrorCode.BAD_REQUEST, detail)


def _number(data: Dict[str, Any], key: str, low: float, high: float) -> float:
    value = data[key]
    _check(isinstance(value, (int, float)) and not isinstance(value, bool), "%s is not a number" % key)
    _check(low <= value <= high, "%s=%r is outside %s..%s" % (key, value, low, high))
    return float(value)


def _integer(data: Dict[str, Any], key: str, low: int, high: int) -> int:
    value = data[key]
    _check(isinstance(value, int) and not isinstance(value, bool), "%s is not an integer" % key)
    _check(low <= value <= high, "%s=%r is outside %s..%s" % (key, value, low, high))
    return int(value)


@dataclass(frozen=True)
class ColorizeRequest:
    """Everything about one coloring except its images.

    width, height: canvas size in pixels.  references: the role of each reference part, in order (1..8).
    seed: 0..2**63-1.  steps: denoising steps 1..200.  guidance: classifier-free guidance scale 1..20 (1 = off).
    gap: largest gap in the lines that is closed, as a fraction of the shorter canvas side, 0..0.1.
    merging: how large a part of the drawing must be to keep a color of its own, 0..8 times the usual; smaller ones join one
    beside them.  hints: color hints come along.  selection_mask: only a selection is recolored, which needs an earlier result
    to keep everything else of; previous: that one comes along.  mode: one of the model's, '' = its first.  parameters: values
    of the model's own parameters by name, at most 64; the rest have their defaults (``model_spec.resolve``).
    preparation: how the line layer is read.
    """

    width: int
    height: int
    references: Tuple[ReferenceRole, ...]
    foreground: ForegroundSource = ForegroundSource.AUTOMATIC
    model: str = "mini"
    finish: Finish = Finish.PAINTED
    seed: int = 0
    steps: int = 6
    guidance: float = 1.5
    gap: float = 0.04
    merging: float = 1.0
    hints: bool = False
    selection_mask: bool = False
    previous: bool = False
    mode: str = ""
    parameters: Mapping[str, Value] = NO_VALUES
    preparation: LinePreparation = LinePreparation.AS_DRAWN

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", ParameterValues(self.parameters))

    def to_json(self) -> Dict[str, Any]:
        """A JSON object that ``from_json`` turns back into an equal request; what is not set is left out."""
        data = dict(asdict(self), parameters=dict(self.parameters))
        usual = LinePreparation.AS_DRAWN
        return {name: value for name, value in data.items() if name not in _OMIT_WHEN_DEFAULT or (value and value is not usual)}

    @staticmethod
    def from_json(data: Any) -> "ColorizeRequest":
        """A checked request.

        Raises LinewashError: BAD_REQUEST for a missing, unknown or out-of-range field; CANVAS_TOO_LARGE, CANVAS_TOO_SMALL,
        NO_REFERENCE, TOO_MANY_REFERENCES and NO_PREVIOUS (a selection without an earlier result) for those.
        """
        _check(isinstance(data, dict), "the request is not a JSON object")
        known = set(ColorizeRequest.__dataclass_fields__)
        _check(set(data) <= known, "unknown fields: %s" % sorted(set(data) - known))
        _check({"width", "height", "references"} <= set(data), "width, height and references are required")
        full = dict(asdict(ColorizeRequest(MIN_SIDE, MIN_SIDE, ())), **data)
        for key in ("width", "height"):
            _integer(full, key, -(2**63), 2**63)
        for key in ("model", "mode"):
            _check(isinstance(full[key], str) and len(full[key]) <= MAX_TEXT, "%s is no text, or a long one" % key)
        _check(isinstance(full["references"], (list, tuple)), "references is not a list")
        for key in _FLAGS:
            _check(isinstance(full[key], bool), "%s is neither true nor false" % key)
        if max(full["width"], full["height"]) > MAX_SIDE:
            raise LinewashError(ErrorCode.CANVAS_TOO_LARGE, "%(width)d x %(height)d" % full)
        if min(full["width"], full["height"]) < MIN_SIDE:
            raise LinewashError(ErrorCode.CANVAS_TOO_SMALL, "%(width)d x %(height)d" % full)
        if not full["references"]:
            raise LinewashError(ErrorCode.NO_REFERENCE)
        if len(full["references"]) > MAX_REFERENCES:
            raise LinewashError(ErrorCode.TOO_MANY_REFERENCES, "%d" % len(full["references"]))
        if full["selection_mask"] and not full["previous"]:
            raise LinewashError(ErrorCode.NO_PREVIOUS)
        _check(full["selection_mask"] or not full["previous"], "an earlier result without a selection")
        parameters = ParameterValues.from_json(full["parameters"])
        _check(not set(parameters) & set(REQUEST_PARAMETERS), "%s are fields, not parameters" % ", ".join(REQUEST_PARAMETERS))
        try:
            return ColorizeRequest(
                width=full["width"],
                height=full["height"],
                references=tuple(ReferenceRole(r) for r in full["references"]),
                foreground=ForegroundSource(full["foreground"]),
                model=full["model"],
                finish=Finish(full["finish"]),
                seed=_integer(full, "seed", 0, 2**63 - 1),
                steps=_integer(full, "steps", 1, 200),
                guidance=_number(full, "guidance", 1.0, 20.0),
                gap=_number(full, "gap", 0.0, 0.1),
                merging=_number(full, "merging", 0.0, 8.0),
                hints=full["hints"],
                selection_mask=full["selection_mask"],
                previous=full["previous"],
                mode=full["mode"],
                parameters=parameters,
                preparation=LinePreparation(full["preparation"]),
            )
        except ValueError as error:
            raise LinewashError(ErrorCode.BAD_REQUEST, str(error)) from error


def replace_parameters(request: ColorizeRequest, values: Mapping[str, Value]) -> ColorizeRequest:
    """The request with these values of parameters, those in ``REQUEST_PARAMETERS`` as fields."""
    fields: Dict[str, Any] = {name: value for name, value in values.items() if name in REQUEST_PARAMETERS}
    return replace(request, parameters={name: values[name] for name in values if name not in fields}, **fields)


def default_values(modes: Sequence[ModeInfo], parameters: Sequence[ParameterInfo], mode: str) -> Dict[str, Value]:
    """The model's defaults of the fields in ``REQUEST_PARAMETERS`` that it describes.  LinewashError BAD_SETTING: no such
    mode.
    """
    chosen = getattr(find_mode(modes, mode), "name", "")
    return {each.name: each.default for each in parameters if each.name in REQUEST_PARAMETERS and each.applies_to(chosen)}


def resolve_values(request: ColorizeRequest, modes: Sequence[ModeInfo], parameters: Sequence[ParameterInfo]) -> ParameterValues:
    """A value for every parameter of the model, from the request's fields, its parameters, and defaults.

    LinewashError BAD_SETTING: see ``model_spec.resolve``.
    """
    described = {name: getattr(request, name) for name in default_values(modes, parameters, request.mode)}
    return resolve(modes, parameters, request.mode, dict(request.parameters, **described))


@dataclass(frozen=True)
class JobStatus:
    """What ``GET /v1/jobs/{id}`` answers.

    revision grows with every change; ``?after=revision`` waits for the next one.  progress is 0..1.  stage is one of
    prepare, condition, denoise, decode, layers ('' while queued).  preview is the number of the newest step preview
    (0 = none yet), to be fetched from ``/v1/jobs/{id}/preview``.  layers is () until the job is done.  seconds holds the
    time of each finished stage.
    """

    id: str
    state: JobState
    revision: int = 0
    progress: float = 0.0
    stage: str = ""
    step: int = 0
    steps: int = 0
    preview: int = 0
    model: str = ""
    seed: int = 0
    warnings: Tuple[str, ...] = ()
    layers: Tuple[str, ...] = ()
    seconds: Dict[str, float] = field(default_factory=dict)
    error: Optional[LinewashError] = None

    def to_json(self) -> Dict[str, Any]:
        """A JSON object that ``from_json`` turns back into an equal status."""
        data = {k: getattr(self, k) for k in self.__dataclass_fields__}
        data["state"] = self.state.value
        data["warnings"], data["layers"] = list(self.warnings), list(self.layers)
        data["error"] = self.error.to_json() if self.error else None
        return data

    @staticmethod
    def from_json(data: Dict[str, Any]) -> "JobStatus":
        """The status in ``data``; fields a newer server added are ignored."""
        known = {k: v for k, v in data.items() if k in JobStatus.__dataclass_fields__}
        known["state"] = JobState(known["state"])
        known["warnings"], known["layers"] = tuple(known.get("warnings", ())), tuple(known.get("layers", ()))
        known["error"] = error_from_json(known.get("error"))
        return JobStatus(**known)


@dataclass(frozen=True)
class Hello:
    """What ``GET /v1/hello`` answers: who is there.  The only call that needs no matching protocol version."""

    product: str
    version: str
    protocol: int
    pid: int

    def to_json(self) -> Dict[str, Any]:
        """A JSON object with the four fields."""
        return asdict(self)
