"""How a model describes itself: its modes and parameters, once, for the docker, the command line and the backend.

Everything here is frozen and travels as JSON; fields that a newer side added are not read.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Dict, Iterator, List, Literal, Mapping, Optional, Sequence, Tuple, Union

from .errors import ErrorCode, LinewashError

MAX_VALUES, MAX_TEXT = 64, 500
"""Values that one request may set; characters of a name or a text."""

NEEDS_MASK, NEEDS_BACKGROUND_REFERENCE = "mask", "background reference"
"""What a mode may need besides lines and one reference, see ``ModeInfo.needs``."""

Value = Union[bool, int, float, str]
Kind = Literal["number", "integer", "switch", "choice", "text"]


def _refuse(detail: str) -> LinewashError:
    return LinewashError(ErrorCode.BAD_SETTING, detail)


def _garbled(detail: str) -> LinewashError:
    return LinewashError(ErrorCode.BAD_REQUEST, detail)


class ParameterValues(Mapping[str, Value]):
    """Values by name that can be neither changed nor put in another order: hashable, and the same over a pipe.

    Example: ``ParameterValues({"strength": 0.8})["strength"]``
    """

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._items = tuple(sorted(values.items()))

    def __getitem__(self, name: str) -> Value:
        for known, value in self._items:
            if known == name:
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
        """The JSON object ``data``, at most 64 names with numbers, true, false or texts.  LinewashError BAD_REQUEST."""
        if not isinstance(data, Mapping):
            raise _garbled("parameters is not a JSON object")
        if len(data) > MAX_VALUES:
            raise _garbled("%d parameters, at most %d" % (len(data), MAX_VALUES))
        for name, value in data.items():
            if not isinstance(name, str) or len(name) > MAX_TEXT:
                raise _garbled("the name of a parameter is no text of at most %d characters" % MAX_TEXT)
            if not isinstance(value, (bool, int, float, str)):
                raise _garbled("parameter %s is neither a number, true, false nor a text" % name)
            if isinstance(value, float) and not math.isfinite(value):
                raise _garbled("parameter %s is not a finite number" % name)
            if isinstance(value, str) and len(value) > MAX_TEXT:
                raise _garbled("parameter %s is longer than %d characters" % (name, MAX_TEXT))
        return ParameterValues(data)


NO_VALUES = ParameterValues({})


@dataclass(frozen=True)
class ModeInfo:
    """One way in which a model colors.

    title: two words for a list.  help: one line.  required_inputs: what it takes besides lines and one reference: a mask, which
    is guessed when the painter gives none, or a background reference, which is one more reference with that role.
    """

    name: str
    title: str
    help: str
    required_inputs: Tuple[str, ...] = ()

    def to_json(self) -> Dict[str, Any]:
        """A JSON object that ``from_json`` turns back into an equal value."""
        return dict(asdict(self), required_inputs=list(self.required_inputs))

    @staticmethod
    def from_json(data: Dict[str, Any]) -> "ModeInfo":
        """The mode in ``data``.  TypeError when a field is missing."""
        known = {name: value for name, value in data.items() if name in ModeInfo.__dataclass_fields__}
        return ModeInfo(**dict(known, required_inputs=tuple(known.get("required_inputs", ()))))


@dataclass(frozen=True)
class ParameterInfo:
    """One thing about a model that can be set.

    title: two words for a form.  help: one line.  low, high: limits, inclusive, of a number or an integer.  step: what one
    click of a spin box changes, 0 = a hundredth of the range (a number) or 1 (an integer).  choices: (value, title) of each
    choice.  modes: names of the modes it means something in, () = all.  advanced: most painters never touch it.
    """

    name: str
    title: str
    help: str
    kind: Kind
    default: Value
    low: float = 0.0
    high: float = 1.0
    step: float = 0.0
    choices: Tuple[Tuple[str, str], ...] = ()
    modes: Tuple[str, ...] = ()
    advanced: bool = False

    def to_json(self) -> Dict[str, Any]:
        """A JSON object that ``from_json`` turns back into an equal value."""
        return dict(asdict(self), choices=[list(choice) for choice in self.choices], modes=list(self.modes))

    @staticmethod
    def from_json(data: Dict[str, Any]) -> "ParameterInfo":
        """The parameter in ``data``.  TypeError when a field is missing."""
        known = {name: value for name, value in data.items() if name in ParameterInfo.__dataclass_fields__}
        choices = tuple((value, title) for value, title in known.get("choices", ()))
        return ParameterInfo(**dict(known, choices=choices, modes=tuple(known.get("modes", ()))))

    def applies_to(self, mode: str) -> bool:
        """Whether it means something in the mode of that name."""
        return not self.modes or mode in self.modes

    def check(self, value: Value) -> Value:
        """``value`` as the model shall get it (a number as float).  LinewashError BAD_SETTING when it is not allowed."""
        if self.kind == "switch":
            if not isinstance(value, bool):
                raise _refuse("%s is neither true nor false: %r" % (self.name, value))
            return value
        if self.kind in ("text", "choice"):
            if not isinstance(value, str) or len(value) > MAX_TEXT:
                raise _refuse("%s is no text of at most %d characters" % (self.name, MAX_TEXT))
            if self.kind == "choice" and value not in dict(self.choices):
                raise _refuse("%s=%s is none of %s" % (self.name, value, ", ".join(dict(self.choices))))
            return value
        if isinstance(value, (bool, str)) or (self.kind == "integer" and not isinstance(value, int)):
            raise _refuse("%s is not %s: %r" % (self.name, "an integer" if self.kind == "integer" else "a number", value))
        if not self.low <= value <= self.high:
            raise _refuse("%s=%r is outside %g..%g" % (self.name, value, self.low, self.high))
        return value if self.kind == "integer" else float(value)

    def parse(self, text: str) -> Value:
        """The value that ``text`` spells, as typed on a command line.  LinewashError BAD_SETTING."""
        if self.kind == "switch":
            spelled = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}
            if text.lower() not in spelled:
                raise _refuse("%s is neither on nor off: %s" % (self.name, text))
            return spelled[text.lower()]
        if self.kind in ("text", "choice"):
            return self.check(text)
        try:
            return self.check(int(text) if self.kind == "integer" else float(text))
        except ValueError:
            raise _refuse("%s is not a number: %s" % (self.name, text)) from None


@dataclass(frozen=True)
class ModelInfo:
    """One row of ``GET /v1/models``.

    name: what requests call it.  reason: why it is not ready and what to do, '' when it is.  family: the coloring system it
    belongs to, '' = one of its own name.  modes, parameters: what can be chosen and set.  source: its file
    in the models folder, '' = it came with the program.  size: bytes of its weights, 0 = not known.
    """

    name: str
    title: str
    license: str
    finishes: List[str]
    ready: bool
    reason: str = ""
    family: str = ""
    modes: Tuple[ModeInfo, ...] = ()
    parameters: Tuple[ParameterInfo, ...] = ()
    source: str = ""
    size: int = 0

    def to_json(self) -> Dict[str, Any]:
        """A JSON object that ``from_json`` turns back into an equal value."""
        modes, parameters = ([each.to_json() for each in described] for described in (self.modes, self.parameters))
        return dict(asdict(self), modes=modes, parameters=parameters)

    @staticmethod
    def from_json(data: Dict[str, Any]) -> "ModelInfo":
        """The model in ``data``; fields a newer server added are ignored.  TypeError when one is missing."""
        known = {name: value for name, value in data.items() if name in ModelInfo.__dataclass_fields__}
        known["modes"] = tuple(ModeInfo.from_json(mode) for mode in known.get("modes", ()))
        known["parameters"] = tuple(ParameterInfo.from_json(each) for each in known.get("parameters", ()))
        return ModelInfo(**known)


def find_mode(modes: Sequence[ModeInfo], name: str) -> Optional[ModeInfo]:
    """The mode of that name, the first for '', None for '' where there are none.  LinewashError BAD_SETTING."""
    if not name:
        return modes[0] if modes else None
    for mode in modes:
        if mode.name == name:
            return mode
    raise _refuse("mode %s is none of: %s" % (name, ", ".join(mode.name for mode in modes) or "(no modes)"))


def parse_assignments(
    modes: Sequence[ModeInfo], parameters: Sequence[ParameterInfo], mode: str, texts: Sequence[str]
) -> Dict[str, Value]:
    """The values that texts like ``strength=0.5`` spell, by name, as typed on a command line.

    LinewashError BAD_SETTING for an unknown mode, a text of another form, a parameter the mode does not have, and what
    ``ParameterInfo.parse`` refuses.
    """
    chosen = find_mode(modes, mode)
    known = {each.name: each for each in parameters if each.applies_to(chosen.name if chosen else "")}
    values: Dict[str, Value] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise _refuse("%s is not of the form NAME=VALUE" % text)
        if name not in known:
            raise _refuse("%s is none of: %s" % (name, ", ".join(known) or "(nothing can be set)"))
        values[name] = known[name].parse(value)
    return values


def resolve(
    modes: Sequence[ModeInfo], parameters: Sequence[ParameterInfo], mode: str, given: Mapping[str, Value]
) -> "ParameterValues":
    """A value for every parameter of the mode: the one given, checked, else its default.

    LinewashError BAD_SETTING for an unknown mode, a parameter that is unknown or of other modes, and what ``check`` refuses.
    """
    chosen = find_mode(modes, mode)
    belonging = [each for each in parameters if each.applies_to(chosen.name if chosen else "")]
    unknown = sorted(set(given) - {each.name for each in belonging})
    if unknown:
        where = " in mode %s" % chosen.name if chosen else ""
        raise _refuse("unknown parameters%s: %s" % (where, ", ".join(unknown)))
    return ParameterValues({each.name: each.check(given.get(each.name, each.default)) for each in belonging})
