"""The spec of a model: its modes and parameters, for the docker, the command line and the backend.

Everything here is frozen and travels as JSON.  Unknown fields, which a newer version may send, are ignored.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Dict, Iterator, List, Literal, Mapping, Optional, Sequence, Tuple, Union

from .errors import ErrorCode, LinewashError

MAX_VALUES, MAX_TEXT = 64, 500
"""Most values that one request may set; most characters of a name or a text."""

NEEDS_MASK, NEEDS_BACKGROUND_REFERENCE = "mask", "background reference"
"""What a mode may need besides lines and one reference, see ``ModeInfo.required_inputs``."""
CLEAR_BACKGROUND, REFERENCE_THRESHOLD = "clear_background", "reference_threshold"
"""Parameters of models that can whiten the foreground of background references: whether, and from which mask value 0..1 on."""

Value = Union[bool, int, float, str]
Kind = Literal["number", "integer", "switch", "choice", "text"]


def _bad_setting(detail: str) -> LinewashError:
    return LinewashError(ErrorCode.BAD_SETTING, detail)


def _bad_request(detail: str) -> LinewashError:
    return LinewashError(ErrorCode.BAD_REQUEST, detail)


class ParameterValues(Mapping[str, Value]):
    """An immutable mapping from names to values, sorted by name: hashable, and equal after pickling.

    Example: ``ParameterValues({"strength": 0.8})["strength"]``
    """

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._items = tuple(sorted(values.items()))

    def __getitem__(self, name: str) -> Value:
        for key, value in self._items:
            if key == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(self._items)

    def __repr__(self) -> str:
        return "ParameterValues(%r)" % dict(self._items)

    @staticmethod
    def from_json(data: Any) -> "ParameterValues":
        """Parse a JSON object of at most 64 names with numbers, booleans or texts.  LinewashError BAD_REQUEST."""
        if not isinstance(data, Mapping):
            raise _bad_request("parameters is not a JSON object")
        if len(data) > MAX_VALUES:
            raise _bad_request("%d parameters, at most %d" % (len(data), MAX_VALUES))
        for name, value in data.items():
            if not isinstance(name, str) or len(name) > MAX_TEXT:
                raise _bad_request("the name of a parameter is no text of at most %d characters" % MAX_TEXT)
            if not isinstance(value, (bool, int, float, str)):
                raise _bad_request("parameter %s is neither a number, true, false nor a text" % name)
            if isinstance(value, float) and not math.isfinite(value):
                raise _bad_request("parameter %s is not a finite number" % name)
            if isinstance(value, str) and len(value) > MAX_TEXT:
                raise _bad_request("parameter %s is longer than %d characters" % (name, MAX_TEXT))
        return ParameterValues(data)


NO_VALUES = ParameterValues({})
"""No parameter is set."""


@dataclass(frozen=True)
class ModeInfo:
    """One mode of a model."""

    name: str
    """What requests call it."""
    title: str
    """Two words for a list."""
    help: str
    """One line."""
    required_inputs: Tuple[str, ...] = ()
    """What it takes besides lines and one reference.

    ``NEEDS_MASK``: a mask, which the backend finds when the painter gives none.  ``NEEDS_BACKGROUND_REFERENCE``: one more
    reference, with that role.
    """

    def to_json(self) -> Dict[str, Any]:
        """A JSON object that ``from_json`` turns back into an equal value."""
        return dict(asdict(self), required_inputs=list(self.required_inputs))

    @staticmethod
    def from_json(data: Dict[str, Any]) -> "ModeInfo":
        """The mode in ``data``.  TypeError when a field is missing."""
        values = {name: value for name, value in data.items() if name in ModeInfo.__dataclass_fields__}
        return ModeInfo(**dict(values, required_inputs=tuple(values.get("required_inputs", ()))))


@dataclass(frozen=True)
class ParameterInfo:
    """One parameter of a model."""

    name: str
    """What requests call it."""
    title: str
    """Two words for a form."""
    help: str
    """One line."""
    kind: Kind
    default: Value
    low: float = 0.0
    """Lowest number or integer, inclusive."""
    high: float = 1.0
    """Highest number or integer, inclusive."""
    step: float = 0.0
    """What one click of a spin box changes; 0 = a hundredth of the range (number) or 1 (integer)."""
    choices: Tuple[Tuple[str, str], ...] = ()
    """(value, title) of each choice."""
    modes: Tuple[str, ...] = ()
    """Names of the modes that use it; () = all."""
    advanced: bool = False
    """Whether most painters never change it."""

    def to_json(self) -> Dict[str, Any]:
        """A JSON object that ``from_json`` turns back into an equal value."""
        return dict(asdict(self), choices=[list(choice) for choice in self.choices], modes=list(self.modes))

    @staticmethod
    def from_json(data: Dict[str, Any]) -> "ParameterInfo":
        """The parameter in ``data``.  TypeError when a field is missing."""
        values = {name: value for name, value in data.items() if name in ParameterInfo.__dataclass_fields__}
        choices = tuple((value, title) for value, title in values.get("choices", ()))
        return ParameterInfo(**dict(values, choices=choices, modes=tuple(values.get("modes", ()))))

    def applies_to(self, mode: str) -> bool:
        """Whether the mode of that name uses it."""
        return not self.modes or mode in self.modes

    def check(self, value: Value) -> Value:
        """``value`` as the model expects it (a number as float).  LinewashError BAD_SETTING when it is not allowed."""
        if self.kind == "switch":
            if not isinstance(value, bool):
                raise _bad_setting("%s is neither true nor false: %r" % (self.name, value))
            return value
        if self.kind in ("text", "choice"):
            if not isinstance(value, str) or len(value) > MAX_TEXT:
                raise _bad_setting("%s is no text of at most %d characters" % (self.name, MAX_TEXT))
            if self.kind == "choice" and value not in dict(self.choices):
                raise _bad_setting("%s=%s is none of %s" % (self.name, value, ", ".join(dict(self.choices))))
            return value
        if isinstance(value, (bool, str)) or (self.kind == "integer" and not isinstance(value, int)):
            raise _bad_setting("%s is not %s: %r" % (self.name, "an integer" if self.kind == "integer" else "a number", value))
        if not self.low <= value <= self.high:
            raise _bad_setting("%s=%r is outside %g..%g" % (self.name, value, self.low, self.high))
        return value if self.kind == "integer" else float(value)

    def parse(self, text: str) -> Value:
        """The value that ``text`` spells, as typed on a command line.  LinewashError BAD_SETTING."""
        if self.kind == "switch":
            spellings = {
                "on": True,
                "true": True,
                "yes": True,
                "1": True,
                "off": False,
                "false": False,
                "no": False,
                "0": False,
            }
            if text.lower() not in spellings:
                raise _bad_setting("%s is neither on nor off: %s" % (self.name, text))
            return spellings[text.lower()]
        if self.kind in ("text", "choice"):
            return self.check(text)
        try:
            return self.check(int(text) if self.kind == "integer" else float(text))
        except ValueError:
            raise _bad_setting("%s is not a number: %s" % (self.name, text)) from None


@dataclass(frozen=True)
class ModelInfo:
    """One row of ``GET /v1/models``."""

    name: str
    """What requests call it."""
    title: str
    """What painters call it."""
    license: str
    """'' = not known."""
    finishes: List[str]
    """Values of ``protocol.Finish`` that it offers."""
    ready: bool
    reason: str = ""
    """Why it is not ready and what to do; '' when it is ready."""
    family: str = ""
    """The family it belongs to; '' = one of its own name."""
    modes: Tuple[ModeInfo, ...] = ()
    """The first is the default."""
    parameters: Tuple[ParameterInfo, ...] = ()
    source: str = ""
    """Its file in the models folder; '' = it is shipped with the program."""
    size: int = 0
    """Bytes of its weights; 0 = not known."""

    def to_json(self) -> Dict[str, Any]:
        """A JSON object that ``from_json`` turns back into an equal value."""
        modes = [mode.to_json() for mode in self.modes]
        return dict(asdict(self), modes=modes, parameters=[parameter.to_json() for parameter in self.parameters])

    @staticmethod
    def from_json(data: Dict[str, Any]) -> "ModelInfo":
        """The model in ``data``; unknown fields are ignored.  TypeError when one is missing."""
        values = {name: value for name, value in data.items() if name in ModelInfo.__dataclass_fields__}
        values["modes"] = tuple(ModeInfo.from_json(mode) for mode in values.get("modes", ()))
        values["parameters"] = tuple(ParameterInfo.from_json(row) for row in values.get("parameters", ()))
        return ModelInfo(**values)


def find_mode(modes: Sequence[ModeInfo], name: str) -> Optional[ModeInfo]:
    """The mode of that name; for '' the first, or None when there are no modes.  LinewashError BAD_SETTING."""
    if not name:
        return modes[0] if modes else None
    for mode in modes:
        if mode.name == name:
            return mode
    raise _bad_setting("mode %s is none of: %s" % (name, ", ".join(mode.name for mode in modes) or "(no modes)"))


def parse_assignments(
    modes: Sequence[ModeInfo], parameters: Sequence[ParameterInfo], mode: str, texts: Sequence[str]
) -> Dict[str, Value]:
    """Parse texts like ``strength=0.5``, as typed on a command line, into values by name.

    LinewashError BAD_SETTING for an unknown mode, a text of another form, a parameter that the mode does not have, and what
    ``ParameterInfo.parse`` refuses.
    """
    chosen = find_mode(modes, mode)
    available = {each.name: each for each in parameters if each.applies_to(chosen.name if chosen else "")}
    values: Dict[str, Value] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise _bad_setting("%s is not of the form NAME=VALUE" % text)
        if name not in available:
            raise _bad_setting("%s is none of: %s" % (name, ", ".join(available) or "(nothing can be set)"))
        values[name] = available[name].parse(value)
    return values


def resolve(
    modes: Sequence[ModeInfo], parameters: Sequence[ParameterInfo], mode: str, values: Mapping[str, Value]
) -> "ParameterValues":
    """A value for every parameter of the mode: the one in ``values``, checked, else its default.

    LinewashError BAD_SETTING for an unknown mode, a parameter that the mode does not have, and what ``check`` refuses.
    """
    chosen = find_mode(modes, mode)
    available = [each for each in parameters if each.applies_to(chosen.name if chosen else "")]
    unknown = sorted(set(values) - {each.name for each in available})
    if unknown:
        where = " in mode %s" % chosen.name if chosen else ""
        raise _bad_setting("unknown parameters%s: %s" % (where, ", ".join(unknown)))
    return ParameterValues({each.name: each.check(values.get(each.name, each.default)) for each in available})
