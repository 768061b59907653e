"""Parses the parameters of a request into typed options (spec sections 8, 9, 16, 17 and 19)."""

from dataclasses import dataclass

from backend.families.colorizediffusion.checkpoint.config import BackgroundContext
from backend.families.colorizediffusion.layers import LayerGroups, PerLayer
from backend.families.colorizediffusion.spec import AS_LEARNED, BY_NAME, LINE_LEVELS
from backend.families.colorizediffusion.text.token_editing import THRESHOLDS, Thresholds
from backend.families.diffusion.denoiser import Prediction
from backend.families.diffusion.guidance import Guidance
from backend.families.diffusion.noise_schedule import Schedule
from backend.families.diffusion.samplers import Sampler
from shared.errors import ErrorCode, LinewashError
from shared.model_spec import ParameterValues


@dataclass(frozen=True)
class Strengths:
    """How strongly the reference acts in the cross-attention layers.  Thresholds are mask values 0..1."""

    reference: PerLayer
    """Strength of the reference everywhere."""
    foreground: PerLayer
    """Strength of the reference in the foreground."""
    background: PerLayer
    """Strength of the reference in the background."""
    mixing: PerLayer
    """How much of the background's attention is mixed into the foreground's."""
    sketch_threshold: float
    """Above this value, the drawing's mask is foreground."""
    reference_threshold: float
    """From this value on, the reference's mask is foreground."""
    style_mixing: float = 0.0
    """How much of the background reference's style is mixed into the main reference's (v2)."""
    background_factor: float = 1.0
    """Factor of what the background encoder finds (v2)."""
    background_context: BackgroundContext | None = None
    """Whose tokens the background encoder attends to (v2); None = as it learned."""


@dataclass(frozen=True)
class InjectionOptions:
    """Options of attention injection."""

    sketch_strength: float
    """Strength of the reference's own sketch features."""
    style_fidelity: float
    """See ``Injection.style_fidelity``."""
    start: float
    """``guidance.progress`` from which on injection is used."""


@dataclass(frozen=True)
class TextEditOptions:
    """Text edits of the reference, applied one after the other.  See ``token_editing.Edit``."""

    targets: tuple[str, ...]
    """What the edits change to."""
    anchors: tuple[str, ...]
    """What they change from: one for each target, '' = none."""
    controls: tuple[str, ...]
    """Where they change something: one for each target, '' = the target itself."""
    scale: float
    """See ``Edit.scale``."""
    enhanced: bool
    """See ``Edit.enhanced``."""
    thresholds: Thresholds
    """See ``Edit.thresholds``."""


@dataclass(frozen=True)
class Options:
    """Everything that a painter can set, except what is part of every request (seed, steps, guidance)."""

    strengths: Strengths
    """Of reference, foreground and background, for each cross-attention layer."""
    sketch_strength: float
    """Factor of the sketch features."""
    line_levels: tuple[float, ...]
    """A factor of its own for the features of each block, in the encoder's order; () = 1 for all."""
    size: int
    """Side of the square with as many pixels as the model's image."""
    sampler: Sampler
    """The loop over noise levels."""
    schedule: Schedule
    """Which noise levels the sampler visits."""
    prediction: Prediction | None
    """None = as the checkpoint's file name says."""
    sketch_guidance: float
    """Guidance scale of the lines; 1 = off."""
    window: tuple[float, float]
    """``guidance.progress`` between which the reference is used."""
    pause: tuple[float, float]
    """``guidance.progress`` between which the reference is not used after all; (-1, -1) = no pause."""
    reference_padding: float
    """Width of the reference with white margins, as a multiple of its own width."""
    clear_background: bool
    """Whether the foreground is removed from the background reference as well."""
    copy_background: bool
    """Whether the background reference itself is copied behind the foreground (v2)."""
    injection: InjectionOptions | None
    """None = no attention injection."""
    text_edit: TextEditOptions | None
    """None = no text edits."""

    @property
    def largest_batch(self) -> int:
        """Rows of the largest batch that a step may need.

        Guidance by the reference always counts: a cached condition may be used again with another guidance scale.
        """
        return 2 + (self.sketch_guidance > 1)

    def guidance(self, reference: float) -> Guidance:
        """The guidance with this scale for the reference."""
        return Guidance(reference, self.sketch_guidance, *self.window, *self.pause)


def parse_options(values: ParameterValues, layers: LayerGroups) -> Options:
    """The options from the values of a mode's parameters; parameters that the mode lacks get a neutral value.

    Raises LinewashError BAD_SETTING for invalid lists of numbers, and for text edits that do not fit together.
    """
    pause = _number(values, "pause_start"), _number(values, "pause_end")
    prediction = _text(values, "prediction")
    # An empty pause becomes one before the start, so that it holds no step: windows are inclusive at both ends.
    return Options(
        strengths=parse_strengths(values, layers),
        sketch_strength=_number(values, "sketch_strength"),
        line_levels=tuple(_number(values, name) for name in LINE_LEVELS if name in values),
        size=int(_number(values, "size")),
        sampler=Sampler(_text(values, "sampler")),
        schedule=Schedule(_text(values, "schedule")),
        prediction=None if prediction == BY_NAME else "eps" if prediction == "eps" else "v",
        sketch_guidance=_number(values, "sketch_guidance"),
        window=(_number(values, "guidance_start"), _number(values, "guidance_end")),
        pause=pause if pause[1] > pause[0] else (-1.0, -1.0),
        reference_padding=_number(values, "reference_padding"),
        clear_background=_switch(values, "clear_background"),
        copy_background=_switch(values, "copy_background"),
        injection=_injection(values) if _switch(values, "injection") else None,
        text_edit=_text_edit(values) if _number(values, "edit_scale", 0.0) != 0 else None,
    )


def parse_strengths(values: ParameterValues, layers: LayerGroups) -> Strengths:
    """The strengths among the values.  Raises LinewashError BAD_SETTING for lists of a wrong length or range."""
    reference = _number(values, "reference_strength")
    by_layer = _numbers(values, "layer_strengths", layers.count) if "layer_strengths" in values else ()
    if by_layer:
        per_layer = tuple(reference * value for value in by_layer)
    else:
        names = ("encoder_strength", "color_strength", "semantics_strength")
        per_layer = layers.levels(reference, *(_number(values, name, 1.0) for name in names))
    return Strengths(
        per_layer,
        layers.constant(_number(values, "foreground_strength", 1.0)),
        layers.constant(_number(values, "background_strength", 1.0)),
        layers.constant(_number(values, "mixing", 0.0)),
        _number(values, "sketch_threshold", 0.05),
        _number(values, "reference_threshold", 0.5),
        _number(values, "mixing", 0.0),
        _number(values, "background_factor", 1.0),
        _background_context(values),
    )


def _background_context(values: ParameterValues) -> BackgroundContext | None:
    chosen = values.get("background_context", AS_LEARNED)
    return None if chosen == AS_LEARNED else "background" if chosen == "background" else "reference"


def _injection(values: ParameterValues) -> InjectionOptions:
    names = ("injection_sketch", "injection_reference", "injection_start")
    return InjectionOptions(*(_number(values, name) for name in names))


def _text_edit(values: ParameterValues) -> TextEditOptions:
    targets = _split_texts(_text(values, "edit_target"))
    if not all(targets):
        raise LinewashError(ErrorCode.BAD_SETTING, "edit_scale without edit_target")
    return TextEditOptions(
        targets,
        _texts_for_targets(values, "edit_anchor", targets),
        _texts_for_targets(values, "edit_control", targets),
        _number(values, "edit_scale"),
        _switch(values, "edit_enhanced"),
        _thresholds(values),
    )


def _split_texts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";"))


def _texts_for_targets(values: ParameterValues, name: str, targets: tuple[str, ...]) -> tuple[str, ...]:
    """One text for each target; an empty parameter gives an empty text for each."""
    texts = _split_texts(_text(values, name)) if _text(values, name) else ("",) * len(targets)
    if len(texts) != len(targets):
        raise LinewashError(ErrorCode.BAD_SETTING, f"{name} has {len(texts)} parts, edit_target {len(targets)}")
    return texts


def _thresholds(values: ParameterValues) -> Thresholds:
    numbers = _numbers(values, "edit_thresholds", len(THRESHOLDS))
    if not numbers:
        return THRESHOLDS
    if sorted(set(numbers)) != list(numbers):
        raise LinewashError(ErrorCode.BAD_SETTING, "edit_thresholds do not rise")
    t0, t1, t2, t3 = numbers
    return t0, t1, t2, t3


def _number(values: ParameterValues, name: str, default: float | None = None) -> float:
    """The number of that name; ``default`` where the mode has no such parameter."""
    return float(values[name] if default is None else values.get(name, default))


def _text(values: ParameterValues, name: str) -> str:
    """The text of that name, stripped of blanks."""
    return str(values[name]).strip()


def _switch(values: ParameterValues, name: str) -> bool:
    """Whether the switch of that name is on; False where the mode has no such parameter."""
    return values.get(name, False) is True


def _numbers(values: ParameterValues, name: str, count: int) -> tuple[float, ...]:
    """``count`` numbers from 0 to 1, separated by commas or blanks; () when the text is empty.  LinewashError BAD_SETTING."""
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
