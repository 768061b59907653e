"""The settled parameters of a request as the numbers the network takes (spec sections 8, 9 and 19)."""

from dataclasses import dataclass

from shared.errors import ErrorCode, LinewashError
from shared.model_spec import ParameterValues, Value

LAYERS = 16
"""Cross-attention layers of the U-Net: 0-5 on the way down, 6 in the middle, 7-15 on the way up (spec 7)."""
ENCODER, MIDDLE, LOW = range(6), (2, 3, 10, 11, 12), (4, 5, 7, 8, 9)
"""Which layers the three level strengths set, later ones overwriting earlier ones (spec 8)."""
PerLayer = tuple[float, ...]


@dataclass(frozen=True)
class Strengths:
    """One number for each of the 16 layers; thresholds are mask values 0..1."""

    reference: PerLayer
    foreground: PerLayer
    background: PerLayer
    mixing: PerLayer
    sketch_threshold: float
    reference_threshold: float


def levels(reference: float, encoder: float, middle: float, low: float) -> PerLayer:
    """Sixteen strengths from three level numbers, each times ``reference`` (spec 8).

    Layers 6 and 13 to 15, which no level touches, get ``reference`` itself; the published program leaves them at 1.
    """
    chosen = [1.0] * LAYERS
    for members, value in ((ENCODER, encoder), (MIDDLE, middle), (LOW, low)):
        for layer in members:
            chosen[layer] = value
    return tuple(reference * value for value in chosen)


def strengths(values: ParameterValues) -> Strengths:
    """From settled parameters; those of masks are missing in modes without.  LinewashError BAD_SETTING for bad layer lists."""
    reference = number(values, "reference_strength")
    listed = numbers(values, "layer_strengths", LAYERS)
    if listed:
        by_layer = tuple(reference * value for value in listed)
    else:
        level = [number(values, name) for name in ("encoder_strength", "color_strength", "semantics_strength")]
        by_layer = levels(reference, *level)
    return Strengths(
        by_layer,
        constant_per_layer(number(values, "foreground_strength", 1.0)),
        constant_per_layer(number(values, "background_strength", 1.0)),
        constant_per_layer(number(values, "mixing", 0.0)),
        number(values, "sketch_threshold", 0.05),
        number(values, "reference_threshold", 0.5),
    )


def constant_per_layer(value: float) -> PerLayer:
    """The same number for all layers."""
    return (value,) * LAYERS


def number(values: ParameterValues, name: str, absent: float | None = None) -> float:
    """The number of that name; ``absent`` where the mode has no such parameter."""
    value = values[name] if absent is None else values.get(name, absent)
    return float(value)


def text(values: ParameterValues, name: str) -> str:
    """The text of that name, without blanks around it."""
    return str(values[name]).strip()


def numbers(values: ParameterValues, name: str, count: int) -> tuple[float, ...]:
    """``count`` numbers from 0 to 1 in a text, by commas or blanks; () when it is empty.  LinewashError BAD_SETTING."""
    words = text(values, name).replace(",", " ").split()
    if not words:
        return ()
    try:
        found = tuple(float(word) for word in words)
    except ValueError as error:
        raise LinewashError(ErrorCode.BAD_SETTING, f"{name}: {error}") from error
    if len(found) != count or not all(0 <= value <= 1 for value in found):
        raise LinewashError(ErrorCode.BAD_SETTING, f"{name} takes {count} numbers from 0 to 1, not {text(values, name)!r}")
    return found


def switched(values: ParameterValues, name: str) -> bool:
    """Whether the switch of that name is on; off where the mode has none."""
    value: Value = values.get(name, False)
    return value is True
