"""The contract between plugin and backend: requests, job states, limits and version.

``POST /v1/jobs`` takes a multipart body: one part ``request`` (JSON, ``ColorizeRequest``) and the PNG parts of
``request_parts.RequestParts``.  The header ``Idempotency-Key`` makes a repeated POST return the first job.  See
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
"""Most references of one request."""
MAX_REFERENCE_SIDE = 8192
"""Longest side of a reference, pixels."""
MAX_PART_BYTES = 300 * 1024 * 1024
"""Most bytes of one PNG part: an uncompressed 8192 x 8192 RGBA image fits."""
MAX_REQUEST_BYTES = 640 * 1024 * 1024
"""Most bytes of one upload."""
MAX_JSON_BYTES = 64 * 1024
"""Most bytes of the JSON part."""
MAX_WAIT_S = 30.0
"""Longest long-poll, seconds."""
MAX_QUEUED = 16
"""Most jobs that wait at a time."""

TOKEN_HEADER = "X-Linewash-Token"
VERSION_HEADER = "X-Linewash-Protocol"
IDEMPOTENCY_HEADER = "Idempotency-Key"

LAYER_FOREGROUND, LAYER_BACKGROUND, LAYER_COMPOSITE = "foreground", "background", "composite"
"""Names of the result layers, canvas size RGBA PNG; ``composite`` is foreground over background, without lines."""
LAYERS = (LAYER_FOREGROUND, LAYER_BACKGROUND, LAYER_COMPOSITE)
LAYER_LINES = "lines"
"""One more layer where ``LinePreparation.produces_lines``: the lines as they were read, black on transparency."""


class JobState(str, Enum):
    """A job is queued, then running, then in exactly one of the three terminal states, which never changes."""

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
    """One flat color a region, or painted shading on top of the flats."""

    FLATS = "flats"
    PAINTED = "painted"


class ReferenceRole(str, Enum):
    """Which part of the drawing may take its colors from a reference."""

    BOTH = "both"
    FOREGROUND = "foreground"
    BACKGROUND = "background"


class ForegroundSource(str, Enum):
    """Where the foreground mask comes from: a ``foreground`` part in the request, the model's segmenter, or both, united."""

    MASK = "mask"
    AUTOMATIC = "automatic"
    MASK_AND_AUTOMATIC = "mask_and_automatic"


REQUEST_PARAMETERS = ("steps", "guidance", "gap", "merging")
"""Fields of a request that a model may list as its parameters, with a range and a default of its own."""

_FLAGS = ("hints", "selection_mask", "previous")
_OMIT_WHEN_DEFAULT = (*_FLAGS, "mode", "parameters", "preparation")
"""Fields that are left out of the JSON when they have their default."""


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
    """Everything about one coloring except its images."""

    width: int
    """Canvas width, pixels."""
    height: int
    """Canvas height, pixels."""
    references: Tuple[ReferenceRole, ...]
    """The role of each reference part, in order; 1 to 8 of them."""
    foreground: ForegroundSource = ForegroundSource.AUTOMATIC
    model: str = "mini"
    finish: Finish = Finish.PAINTED
    """Flat colors, or painted shading."""
    seed: int = 0
    """0 to 2^63 - 1."""
    steps: int = 6
    """Denoising steps, 1 to 200."""
    guidance: float = 1.5
    """Scale of classifier-free guidance, 1 to 20; 1 = off."""
    gap: float = 0.04
    """Largest gap in the lines that is closed, as a fraction of the shorter canvas side, 0 to 0.1."""
    merging: float = 1.0
    """Smallest region that keeps a color of its own, 0 to 8 times the default; smaller ones join a neighbor."""
    hints: bool = False
    """Whether a hints part is sent."""
    selection_mask: bool = False
    """Whether only a selection is recolored.  This needs an earlier result, which keeps its colors elsewhere."""
    previous: bool = False
    """Whether the two layers of an earlier result are sent."""
    mode: str = ""
    """One of the model's modes; '' = its first."""
    parameters: Mapping[str, Value] = NO_VALUES
    """Values of the model's own parameters by name, at most 64; the rest have their defaults."""
    preparation: LinePreparation = LinePreparation.AS_DRAWN
    """How the line layer is read."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", ParameterValues(self.parameters))

    def to_json(self) -> Dict[str, Any]:
        """A JSON object that ``from_json`` turns back into an equal request; optional fields are left out when unset."""
        data = dict(asdict(self), parameters=dict(self.parameters))
        unset = LinePreparation.AS_DRAWN
        return {name: value for name, value in data.items() if name not in _OMIT_WHEN_DEFAULT or (value and value is not unset)}

    @staticmethod
    def from_json(data: Any) -> "ColorizeRequest":
        """Parse and check a request.

        Raises LinewashError: BAD_REQUEST for a missing, unknown or out-of-range field; CANVAS_TOO_LARGE, CANVAS_TOO_SMALL,
        NO_REFERENCE, TOO_MANY_REFERENCES and NO_PREVIOUS (a selection without an earlier result) for those.
        """
        _check(isinstance(data, dict), "the request is not a JSON object")
        names = set(ColorizeRequest.__dataclass_fields__)
        _check(set(data) <= names, "unknown fields: %s" % sorted(set(data) - names))
        _check({"width", "height", "references"} <= set(data), "width, height and references are required")
        full = dict(asdict(ColorizeRequest(MIN_SIDE, MIN_SIDE, ())), **data)  # absent fields have their defaults
        for key in ("width", "height"):
            _integer(full, key, -(2**63), 2**63)
        for key in ("model", "mode"):
            _check(isinstance(full[key], str) and len(full[key]) <= MAX_TEXT, "%s is no text, or too long" % key)
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
    """The request with these parameters; those in ``REQUEST_PARAMETERS`` become fields."""
    fields: Dict[str, Any] = {name: value for name, value in values.items() if name in REQUEST_PARAMETERS}
    return replace(request, parameters={name: values[name] for name in values if name not in fields}, **fields)


def default_values(modes: Sequence[ModeInfo], parameters: Sequence[ParameterInfo], mode: str) -> Dict[str, Value]:
    """The model's own defaults of fields in ``REQUEST_PARAMETERS``.  LinewashError BAD_SETTING for an unknown mode."""
    chosen = getattr(find_mode(modes, mode), "name", "")
    return {each.name: each.default for each in parameters if each.name in REQUEST_PARAMETERS and each.applies_to(chosen)}


def resolve_values(request: ColorizeRequest, modes: Sequence[ModeInfo], parameters: Sequence[ParameterInfo]) -> ParameterValues:
    """A value for every parameter of the model, from the request's fields, its parameters, and defaults.

    LinewashError BAD_SETTING: see ``model_spec.resolve``.
    """
    values = {name: getattr(request, name) for name in default_values(modes, parameters, request.mode)}
    return resolve(modes, parameters, request.mode, dict(request.parameters, **values))


@dataclass(frozen=True)
class JobStatus:
    """The answer to ``GET /v1/jobs/{id}``."""

    id: str
    """32 hexadecimal digits."""
    state: JobState
    """Where it is on its way."""
    revision: int = 0
    """Grows with every change; ``?after=revision`` waits for the next one."""
    progress: float = 0.0
    """0 to 1."""
    stage: str = ""
    """prepare, condition, denoise, decode or layers (``stages.Stage``); '' while queued."""
    step: int = 0
    """Denoising steps done."""
    steps: int = 0
    """Denoising steps in all."""
    preview: int = 0
    """Number of the newest preview, which ``/v1/jobs/{id}/preview`` returns; 0 = none yet."""
    model: str = ""
    seed: int = 0
    warnings: Tuple[str, ...] = ()
    """Sentences for the painter."""
    layers: Tuple[str, ...] = ()
    """Names of the result layers; empty until the job is done."""
    seconds: Dict[str, float] = field(default_factory=dict)
    """The time of each finished stage."""
    error: Optional[LinewashError] = None
    """Why it failed."""

    def to_json(self) -> Dict[str, Any]:
        """A JSON object that ``from_json`` turns back into an equal status."""
        data = {name: getattr(self, name) for name in self.__dataclass_fields__}
        data["state"] = self.state.value
        data["warnings"], data["layers"] = list(self.warnings), list(self.layers)
        data["error"] = self.error.to_json() if self.error else None
        return data

    @staticmethod
    def from_json(data: Dict[str, Any]) -> "JobStatus":
        """The status in ``data``; unknown fields are ignored."""
        values = {name: value for name, value in data.items() if name in JobStatus.__dataclass_fields__}
        values["state"] = JobState(values["state"])
        values["warnings"], values["layers"] = tuple(values.get("warnings", ())), tuple(values.get("layers", ()))
        values["error"] = error_from_json(values.get("error"))
        return JobStatus(**values)


@dataclass(frozen=True)
class Hello:
    """The answer to ``GET /v1/hello``, the only call that needs no matching protocol version."""

    product: str
    """Always ``linewash``."""
    version: str
    protocol: int
    pid: int
    """Number of the server process."""

    def to_json(self) -> Dict[str, Any]:
        """A JSON object with the four fields."""
        return asdict(self)
