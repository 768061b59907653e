"""The parameters of a request, parsed once (spec sections 8, 9, 16, 17 and 19)."""

from dataclasses import dataclass

from backend.families.colorizediffusion.layers import LayerGroups, PerLayer
from backend.families.colorizediffusion.spec import BY_NAME
from backend.families.colorizediffusion.text.token_editing import THRESHOLDS, Thresholds
from backend.families.diffusion.denoiser import Prediction
from backend.families.diffusion.guidance import Guidance
from backend.families.diffusion.noise_schedule import Schedule
from backend.families.diffusion.samplers import Sampler
from shared.errors import ErrorCode, LinewashError
from shared.model_spec import ParameterValues


@dataclass(frozen=True)
class Strengths:
    """How strongly the cross-attention layers hear the reference; thresholds are mask values 0..1."""

    reference: PerLayer
    foreground: PerLayer
    background: PerLayer
    mixing: PerLayer
    """How much of the background's attention is mixed into the foreground's."""
    sketch_threshold: float
    """Above it the drawing's mask is foreground."""
    reference_threshold: float
    """From it on the reference's mask is foreground."""


@dataclass(frozen=True)
class InjectionOptions:
    """Attention injection."""

    sketch_strength: float
    """Of the reference's own sketch features."""
    style_fidelity: float
    start: float
    """``guidance.progress`` from which on it is used."""


@dataclass(frozen=True)
class TextEditOptions:
    """Changes of the reference by words, one after the other."""

    targets: tuple[str, ...]
    anchors: tuple[str, ...]
    """One for each target, '' = none."""
    controls: tuple[str, ...]
    """One for each target, '' = the target itself."""
    scale: float
    enhanced: bool
    thresholds: Thresholds


@dataclass(frozen=True)
class Options:
    """Everything that a painter can set, but what is part of every request (seed, steps, guidance)."""

    strengths: Strengths
    sketch_strength: float
    size: int
    """Side of the square with as many pixels as the model's image."""
    sampler: Sampler
    schedule: Schedule
    prediction: Prediction | None
    """None = as the checkpoint's file name says."""
    sketch_guidance: float
    window: tuple[float, float]
    """``guidance.progress`` from and until which the reference is seen."""
    pause: tuple[float, float]
    """In between, from and until which it is not; (-1, -1) = no pause."""
    reference_padding: float
    """Width of the reference with white at its sides, as a multiple of its own."""
    clear_background: bool
    """Whether the foreground is taken out of the background reference, too."""
    injection: InjectionOptions | None
    text_edit: TextEditOptions | None

    @property
    def largest_batch(self) -> int:
        """Rows of the largest batch a step may need.

        Guidance by the reference counts always: it is no part of what a condition is cached by, so it may come later.
        """
        return 2 + (self.sketch_guidance > 1)

    def guidance(self, reference: float) -> Guidance:
        """The guidance with this scale of the reference."""
        return Guidance(reference, self.sketch_guidance, *self.window, *self.pause)


def parse_options(values: ParameterValues, layers: LayerGroups) -> Options:
    """From the values of a mode's parameters; those that the mode does not have get a neutral value.

    Raises LinewashError BAD_SETTING for lists of numbers and words that make no sense.
    """
    pause = _number(values, "pause_start"), _number(values, "pause_end")
    prediction = _text(values, "prediction")
    return Options(
        strengths=parse_strengths(values, layers),
        sketch_strength=_number(values, "sketch_strength"),
        size=int(_number(values, "size")),
        sampler=Sampler(_text(values, "sampler")),
        schedule=Schedule(_text(values, "schedule")),
        prediction=None if prediction == BY_NAME else "eps" if prediction == "eps" else "v",
        sketch_guidance=_number(values, "sketch_guidance"),
        window=(_number(values, "guidance_start"), _number(values, "guidance_end")),
        pause=pause if pause[1] > pause[0] else (-1.0, -1.0),
        reference_padding=_number(values, "reference_padding"),
        clear_background=_switch(values, "clear_background"),
        injection=_injection(values) if _switch(values, "injection") else None,
        text_edit=_text_edit(values) if _number(values, "edit_scale") != 0 else None,
    )


def parse_strengths(values: ParameterValues, layers: LayerGroups) -> Strengths:
    """The strengths among the values.  LinewashError BAD_SETTING for a list of another length or of other numbers."""
    reference = _number(values, "reference_strength")
    by_layer = _numbers(values, "layer_strengths", layers.count)
    if by_layer:
        per_layer = tuple(reference * value for value in by_layer)
    else:
        names = ("encoder_strength", "color_strength", "semantics_strength")
        per_layer = layers.levels(reference, *(_number(values, name) for name in names))
    return Strengths(
        per_layer,
        layers.constant(_number(values, "foreground_strength", 1.0)),
        layers.constant(_number(values, "background_strength", 1.0)),
        layers.constant(_number(values, "mixing", 0.0)),
        _number(values, "sketch_threshold", 0.05),
        _number(values, "reference_threshold", 0.5),
    )


def _injection(values: ParameterValues) -> InjectionOptions:
    names = ("injection_sketch", "injection_reference", "injection_start")
    return InjectionOptions(*(_number(values, name) for name in names))


def _text_edit(values: ParameterValues) -> TextEditOptions:
    targets = _parts(_text(values, "edit_target"))
    if not all(targets):
        raise LinewashError(ErrorCode.BAD_SETTING, "edit_scale without edit_target")
    return TextEditOptions(
        targets,
        _matching(values, "edit_anchor", targets),
        _matching(values, "edit_control", targets),
        _number(values, "edit_scale"),
        _switch(values, "edit_enhanced"),
        _thresholds(values),
    )


def _parts(words: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in words.split(";"))


def _matching(values: ParameterValues, name: str, targets: tuple[str, ...]) -> tuple[str, ...]:
    """One text for each target; no text at all means an empty one for each."""
    texts = _parts(_text(values, name)) if _text(values, name) else ("",) * len(targets)
    if len(texts) != len(targets):
        raise LinewashError(ErrorCode.BAD_SETTING, f"{name} has {len(texts)} parts, edit_target {len(targets)}")
    return texts


def _thresholds(values: ParameterValues) -> Thresholds:
    numbers = _numbers(values, "edit_thresholds", len(THRESHOLDS))
    if not numbers:
        return THRESHOLDS
    if sorted(set(numbers)) != list(numbers):
        raise LinewashError(ErrorCode.BAD_SETTING, "edit_thresholds do not rise")
    a, b, c, d = numbers
    return a, b, c, d


def _number(values: ParameterValues, name: str, absent: float | None = None) -> float:
    """The number of that name; ``absent`` where the mode has no such parameter."""
    return float(values[name] if absent is None else values.get(name, absent))


def _text(values: ParameterValues, name: str) -> str:
    """The text of that name, without blanks around it."""
    return str(values[name]).strip()


def _switch(values: ParameterValues, name: str) -> bool:
    """Whether the switch of that name is on; off where the mode has none."""
    return values.get(name, False) is True


def _numbers(values: ParameterValues, name: str, count: int) -> tuple[float, ...]:
    """``count`` numbers from 0 to 1 in a text, by commas or blanks; () when it is empty.  LinewashError BAD_SETTING."""
    words = _text(values, name).replace(",", " ").split()
    if not words:
        return ()
    try:
        numbers = tuple(float(word) for word in words)
    except ValueError as error:
        raise LinewashError(ErrorCode.BAD_SETTING, f"{name}: {error}") from error
    if len(numbers) != count or not all(0 <= number <= 1 for number in numbers):
        raise LinewashError(ErrorCode.BAD_SETTING, f"{name} takes {count} numbers from 0 to 1, not {_text(values, name)!r}")
    return numbers
