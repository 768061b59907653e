"""What a painter can choose and set in ColorizeDiffusion v1 and v1.5, described once (spec sections 14, 18 and 19)."""

from backend.families.common_parameters import REGION_PARAMETERS, steps_and_guidance
from backend.families.diffusion.samplers import SAMPLERS, SCHEDULES
from shared.model_spec import NEEDS_MASK, ModeInfo, ParameterInfo, Value

REFERENCE_SIDE = 2048
"""References are taken at their own size (spec 18), but for what no 224-pixel eye and no picture of 1536 can tell apart."""

VANILLA, MASKED = "vanilla", "masked"
FOREGROUND, BACKGROUND, BOTH, BOTH_PUBLISHED = "foreground", "background", "both", "both-published"

V1_MODES = (
    ModeInfo(VANILLA, "Plain", "The reference colors everything; no mask is used."),
    ModeInfo(
        MASKED,
        "Figure and ground",
        "The ground takes its colors from the reference without its figure, or from a background reference.",
        (NEEDS_MASK,),
    ),
)
V15_MODES = (
    ModeInfo(VANILLA, "Plain", "The reference colors everything; no mask is used.  Right for most pictures."),
    ModeInfo(
        FOREGROUND,
        "Clean figure",
        "The figure is colored by weights of its own: for references with a busy ground.",
        (NEEDS_MASK,),
    ),
    ModeInfo(
        BACKGROUND,
        "Own ground",
        "The ground is colored by weights of its own, from the reference without its figure or from a background reference.",
        (NEEDS_MASK,),
    ),
    ModeInfo(
        BOTH,
        "Figure to figure",
        "Figure and ground each have weights of their own: keeps the shapes of the reference out of the picture best.",
        (NEEDS_MASK,),
    ),
    ModeInfo(
        BOTH_PUBLISHED,
        "Figure to figure, as published",
        "As the published program does it: figure and ground both see all colors of the reference.",
        (NEEDS_MASK,),
    ),
)


BY_NAME = "name"
PREDICTIONS = ((BY_NAME, "By file name"), ("eps", "Noise"), ("v", "Velocity"))
"""The published rule is that of the name (spec 2); files that were renamed need a word."""


def _share(name: str, title: str, text: str, default: float = 1.0, modes: tuple[str, ...] = ()) -> ParameterInfo:
    return ParameterInfo(name, title, text, "number", default, 0.0, 1.0, 0.05, modes=modes, advanced=True)


def _number(name: str, title: str, text: str, default: float, low: float, high: float, step: float) -> ParameterInfo:
    return ParameterInfo(name, title, text, "number", default, low, high, step, advanced=True)


def _switch(name: str, title: str, text: str, default: bool = False, modes: tuple[str, ...] = ()) -> ParameterInfo:
    return ParameterInfo(name, title, text, "switch", default, modes=modes, advanced=True)


def _choice(name: str, title: str, text: str, choices: tuple[tuple[str, str], ...]) -> ParameterInfo:
    return ParameterInfo(name, title, text, "choice", choices[0][0], choices=choices, advanced=True)


def _text(name: str, title: str, text: str) -> ParameterInfo:
    return ParameterInfo(name, title, text, "text", "", advanced=True)


def _strengths(masked: tuple[str, ...]) -> tuple[ParameterInfo, ...]:
    return (
        ParameterInfo(
            "reference_strength", "Strength", "How strongly the reference colors the picture.", "number", 1.0, 0.0, 1.0, 0.05
        ),
        ParameterInfo("sketch_strength", "Line strength", "How closely the lines are followed.", "number", 1.0, 0.0, 3.0, 0.1),
        _share("foreground_strength", "On the figure", "How strongly the reference colors the figure.", modes=masked),
        _share("background_strength", "On the ground", "How strongly the reference colors the ground.", modes=masked),
        _share("mixing", "Mixing", "How much of the ground's colors is mixed into the figure.", 0.0, masked),
        _share("semantics_strength", "Content", "The reference's say in the deep layers: what things are."),
        _share("color_strength", "Color", "The reference's say in the middle layers: which colors things have."),
        _share("encoder_strength", "Reading", "The reference's say in the layers that read the drawing."),
        _text("layer_strengths", "By layer", "Sixteen numbers from 0 to 1, one for each layer; empty: the three above."),
        _share("reference_threshold", "Reference mask", "From which mask value on the reference is figure.", 0.5, masked),
        _share("sketch_threshold", "Drawing mask", "From which mask value on the drawing is figure.", 0.05, masked),
        _switch("clear_background", "Ground only", "Take the figure out of the background reference as well.", modes=masked),
    )


_SAMPLING = (
    *steps_and_guidance(20, 4.0, advanced=False),
    ParameterInfo("size", "Size", "Side of the square with as many pixels as the model paints.", "integer", 512, 256, 1536, 64),
    _choice("sampler", "Sampler", "How noise is turned into a picture.", SAMPLERS),
    _choice("schedule", "Schedule", "How steps are spread over the noise.", SCHEDULES),
    _choice("prediction", "Predicts", "What the weights were trained to predict.", PREDICTIONS),
    _number("sketch_guidance", "Line guidance", "Pushes the picture towards the lines; 1 = off.", 1.0, 1.0, 5.0, 0.1),
    _share("guidance_start", "Guided from", "From which part of the way on the reference is used.", 0.0),
    _share("guidance_end", "Guided until", "Until which part of the way the reference is used.", 1.0),
    _share("pause_start", "Pause from", "Where a pause without the reference begins; nothing when both are 0.", 0.0),
    _share("pause_end", "Pause until", "Where that pause ends.", 0.0),
)

_INJECTION = (
    _switch("injection", "Copy style", "Let the picture look at the reference's own pixels, in twice the time."),
    _number("injection_sketch", "Copy shapes", "How much of the reference's shapes is copied with it.", 0.0, 0.0, 2.0, 0.05),
    _share("injection_reference", "Copy caution", "How far the unguided branch is kept from copying.", 0.5),
    _share("injection_start", "Copy from", "From which part of the way on it copies.", 0.0),
)

_WORDS = (
    _text(
        "edit_target",
        "Change to",
        "What it becomes, e.g. red hair; several by semicolons.  Needs CLIP's text part.",
    ),
    _text("edit_anchor", "Change from", "What it is in the reference, e.g. blonde hair; may be empty."),
    _text("edit_control", "Change where", "What kind of place is changed, e.g. the hair; empty: as Change to."),
    _number("edit_scale", "Change by", "How strong the change is; 0 = none.", 0.0, 0.0, 15.0, 0.25),
    _switch("edit_enhanced", "Change more", "Measure the change from what is there rather than from what it becomes."),
    _text("edit_thresholds", "Change levels", "Four rising numbers from 0 to 1; empty: 0.5 0.55 0.65 0.95."),
)

_PADDING = _number(
    "reference_padding", "Reference margin", "White beside the reference, as a multiple of its width.", 1.0, 1.0, 2.0, 0.05
)


def parameters(masked: tuple[str, ...]) -> tuple[ParameterInfo, ...]:
    """All parameters; ``masked`` names the modes that use masks."""
    return (*_strengths(masked), *_SAMPLING, _PADDING, *_INJECTION, *_WORDS, *REGION_PARAMETERS)


def defaults(infos: tuple[ParameterInfo, ...]) -> dict[str, Value]:
    """The default of every parameter by name."""
    return {info.name: info.default for info in infos}
