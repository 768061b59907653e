"""Modes and parameters of ColorizeDiffusion v1, v1.5 and v2 (spec sections 14, 18 and 19)."""

from dataclasses import replace

from backend.families.common_parameters import REGION_PARAMETERS, steps_and_guidance
from backend.families.diffusion.samplers import SAMPLERS, SCHEDULES, Sampler
from shared.model_spec import NEEDS_MASK, ModeInfo, ParameterInfo, Value

REFERENCE_SIDE = 2048
"""Longest side of references, in pixels.  The published program keeps their own size (spec 18); more than this is lost on CLIP,
which reads 224 pixels, on encoders, which see the size of the result, and on results of at most 1536 pixels.  v2 is told the
size that a reference came with, see ``Reference.size``."""

VANILLA, MASKED = "vanilla", "masked"
FOREGROUND, BACKGROUND, BOTH, BOTH_PUBLISHED = "foreground", "background", "both", "both-published"
STYLE, STYLE_BACKGROUND, STYLE_FOREGROUND = "style", "style-background", "style-foreground"

V2_STYLED = (STYLE, STYLE_BACKGROUND, STYLE_FOREGROUND)
"""v2's modes with the style encoder."""
V2_ENCODED = (BACKGROUND, STYLE_BACKGROUND)
"""v2's modes with the background encoder."""
V2_MASKED = (BACKGROUND, STYLE_BACKGROUND, FOREGROUND, STYLE_FOREGROUND)
"""v2's modes with a mask."""

V1_MODES = (
    ModeInfo(VANILLA, "Plain", "The reference colors everything. No mask is used."),
    ModeInfo(
        MASKED,
        "Foreground and background",
        "A background reference colors the background, or else the reference without its foreground.",
        (NEEDS_MASK,),
    ),
)
V15_MODES = (
    ModeInfo(VANILLA, "Plain", "The reference colors everything. No mask is used. Right for most drawings."),
    ModeInfo(
        FOREGROUND,
        "Clean foreground",
        "The foreground has weights of its own. For references with a busy background.",
        (NEEDS_MASK,),
    ),
    ModeInfo(
        BACKGROUND,
        "Separate background",
        "The background has weights of its own, and a reference of its own or the reference without its foreground.",
        (NEEDS_MASK,),
    ),
    ModeInfo(
        BOTH,
        "Foreground and background",
        "Foreground and background each have weights of their own. Best at keeping the reference's shapes out of the result.",
        (NEEDS_MASK,),
    ),
    ModeInfo(
        BOTH_PUBLISHED,
        "Both, as published",
        "As in the published program: foreground and background both see all colors of the reference.",
        (NEEDS_MASK,),
    ),
)
V2_MODES = (
    ModeInfo(VANILLA, "Plain", "The reference colors everything. No mask is used."),
    ModeInfo(STYLE, "Style", "The reference colors everything and lends its light and texture, too. No mask is used."),
    ModeInfo(
        BACKGROUND,
        "Background",
        "The background is painted after a background reference, or else after the reference without its foreground.",
        (NEEDS_MASK,),
    ),
    ModeInfo(
        STYLE_BACKGROUND,
        "Style and background",
        "The background as in Background, light and texture of everything as in Style.",
        (NEEDS_MASK,),
    ),
    ModeInfo(
        FOREGROUND,
        "Strengths alone",
        "As Plain, but the strengths of foreground and background may differ. Of little use with the published weights.",
        (NEEDS_MASK,),
    ),
    ModeInfo(
        STYLE_FOREGROUND,
        "Style and colors",
        "As Style, but the colors of a background reference go to the background alone. Nothing of its shapes is used.",
        (NEEDS_MASK,),
    ),
)


BY_NAME, AS_LEARNED = "name", "learned"
PREDICTIONS = ((BY_NAME, "As learned"), ("eps", "Noise"), ("v", "Velocity"))
"""The published program goes by the file's name (spec 2), ours by a JSON file beside it; for others the painter chooses."""
BACKGROUND_CONTEXTS = ((AS_LEARNED, "As learned"), ("reference", "Reference"), ("background", "Background"))
"""Values of ``NetworkConfig.background_context``, which says what was learned."""


def _share(name: str, title: str, text: str, default: float = 1.0, modes: tuple[str, ...] = ()) -> ParameterInfo:
    return ParameterInfo(name, title, text, "number", default, 0.0, 1.0, 0.05, modes=modes, advanced=True)


def _number(name: str, title: str, text: str, default: float, low: float, high: float, step: float) -> ParameterInfo:
    return ParameterInfo(name, title, text, "number", default, low, high, step, advanced=True)


def _switch(name: str, title: str, text: str, default: bool = False, modes: tuple[str, ...] = ()) -> ParameterInfo:
    return ParameterInfo(name, title, text, "switch", default, modes=modes, advanced=True)


def _choice(
    name: str, title: str, text: str, choices: tuple[tuple[str, str], ...], modes: tuple[str, ...] = ()
) -> ParameterInfo:
    return ParameterInfo(name, title, text, "choice", choices[0][0], choices=choices, modes=modes, advanced=True)


def _text(name: str, title: str, text: str) -> ParameterInfo:
    return ParameterInfo(name, title, text, "text", "", advanced=True)


LINE_LEVELS = ("line_level_1", "line_level_2", "line_level_3", "line_level_4")
"""XL's factors of the lines' features, from the finest scale to the deepest."""
_LINE_LEVELS = tuple(
    _number(name, f"Lines {title}", f"Factor of what the network is told of the lines {where}.", 1.0, 0.0, 3.0, 0.1)
    for name, title, where in zip(
        LINE_LEVELS,
        ("fine", "medium", "coarse", "deep"),
        ("at an eighth of the size", "at a sixteenth", "at a thirty-second", "before the middle"),
        strict=True,
    )
)
XL_SAMPLER = Sampler.K_DPMPP_3M_SDE.value
"""The published default (spec XL 8.7)."""


def _mixing(modes: tuple[str, ...]) -> ParameterInfo:
    return _share("mixing", "Mixing", "How much of the background's colors is mixed into the foreground.", 0.0, modes)


_V2_MIXING = _share(
    "mixing",
    "Mixing",
    "How much of the background reference is mixed in: of its style, and of its colors into the foreground.",
    0.0,
    (STYLE, *V2_MASKED),
)


def _strengths(masked: tuple[str, ...], mixing: ParameterInfo, backed: tuple[str, ...]) -> tuple[ParameterInfo, ...]:
    """masked: modes with masks.  backed: modes that use a background reference."""
    return (
        ParameterInfo(
            "reference_strength", "Strength", "How strongly the reference colors the result.", "number", 1.0, 0.0, 1.0, 0.05
        ),
        ParameterInfo("sketch_strength", "Line strength", "How closely it follows the lines.", "number", 1.0, 0.0, 3.0, 0.1),
        _share("foreground_strength", "Foreground strength", "How strongly the reference colors the foreground.", modes=masked),
        _share("background_strength", "Background strength", "How strongly the reference colors the background.", modes=masked),
        mixing,
        _share("semantics_strength", "Content", "The reference's strength in the deep layers: what things are."),
        _share("color_strength", "Color", "The reference's strength in the middle layers: which colors things have."),
        _share("encoder_strength", "Encoder", "The reference's strength in the layers that read the drawing."),
        _text("layer_strengths", "By layer", "Sixteen numbers from 0 to 1, one for each layer. Empty: the three above."),
        _share(
            "reference_threshold",
            "Reference mask",
            "From this mask value on, the reference is foreground.",
            0.5,
            backed,
        ),
        _share("sketch_threshold", "Drawing mask", "Above this mask value, the drawing is foreground.", 0.05, masked),
        _switch(
            "clear_background",
            "Background only",
            "Remove the foreground from the background reference as well.",
            modes=backed,
        ),
    )


def _sampling(size: int, largest: int = 1536, unit: int = 64) -> tuple[ParameterInfo, ...]:
    return (
        *steps_and_guidance(20, 4.0, advanced=False),
        ParameterInfo(
            "size", "Size", "Side of the square with as many pixels as the model paints.", "integer", size, 256, largest, unit
        ),
        *_SAMPLING,
    )


_SAMPLING = (
    _choice("sampler", "Sampler", "How noise is turned into an image.", SAMPLERS),
    _choice("schedule", "Schedule", "How the steps are spread over the noise levels.", SCHEDULES),
    _choice("prediction", "Predicts", "What the weights were trained to predict.", PREDICTIONS),
    _number("sketch_guidance", "Line guidance", "Pushes the result towards the lines; 1 = off.", 1.0, 1.0, 5.0, 0.1),
    _share("guidance_start", "Guided from", "Where in the denoising the reference begins to count; 0 = the start.", 0.0),
    _share("guidance_end", "Guided until", "Where in the denoising the reference ceases to count; 1 = the end.", 1.0),
    _share("pause_start", "Pause from", "Where a pause without the reference begins; no pause when both are 0.", 0.0),
    _share("pause_end", "Pause until", "Where that pause ends.", 0.0),
)

_INJECTION = (
    _switch("injection", "Copy style", "Copy the style from the reference's own pixels. Takes twice as long."),
    _number("injection_sketch", "Copy shapes", "How much of the reference's shapes is copied as well.", 0.0, 0.0, 2.0, 0.05),
    _share("injection_reference", "Copy caution", "How far the prediction without the reference is kept from copying.", 0.5),
    _share("injection_start", "Copy from", "Where in the denoising the copying begins; 0 = the start.", 0.0),
)

_TEXT_EDITS = (
    _text(
        "edit_target",
        "Change to",
        "What it becomes, e.g. red hair; separate several by semicolons. Needs CLIP's text part.",
    ),
    _text("edit_anchor", "Change from", "What it is in the reference, e.g. blonde hair; may be empty."),
    _text("edit_control", "Change where", "What is changed, e.g. the hair. Empty: the same as Change to."),
    _number("edit_scale", "Change by", "How strong the change is; 0 = none.", 0.0, 0.0, 15.0, 0.25),
    _switch("edit_enhanced", "Change more", "Stronger: measure the change from what is there, not from what it becomes."),
    _text("edit_thresholds", "Change levels", "Four rising numbers from 0 to 1. Empty: 0.5 0.55 0.65 0.95."),
)

_PADDING = _number(
    "reference_padding",
    "Reference margin",
    "Width with white margins, as a multiple of its own.",
    1.0,
    1.0,
    2.0,
    0.05,
)


_BACKGROUND_ENCODER = (
    ParameterInfo(
        "background_factor",
        "Background shapes",
        "How far the background follows what the encoder sees in its reference.",
        "number",
        1.0,
        0.0,
        2.0,
        0.05,
        modes=V2_ENCODED,
        advanced=True,
    ),
    _switch(
        "copy_background",
        "Copy background",
        "Put the background reference itself behind the foreground, which is painted into it.",
        modes=V2_MASKED,
    ),
    _choice(
        "background_context", "Encoder sees", "Whose colors the background encoder is told.", BACKGROUND_CONTEXTS, V2_ENCODED
    ),
)


def parameters(masked: tuple[str, ...], backed: tuple[str, ...]) -> tuple[ParameterInfo, ...]:
    """All parameters of v1 and v1.5.  masked: the modes that use masks.  backed: those with a background reference."""
    return (
        *_strengths(masked, _mixing(masked), backed),
        *_sampling(512),
        _PADDING,
        *_INJECTION,
        *_TEXT_EDITS,
        *REGION_PARAMETERS,
    )


def v2_parameters() -> tuple[ParameterInfo, ...]:
    """All parameters of v2, which was trained at 768 pixels."""
    strengths = _strengths(V2_MASKED, _V2_MIXING, (STYLE, *V2_MASKED))
    return (*strengths, *_BACKGROUND_ENCODER, *_sampling(768), _PADDING, *_INJECTION, *_TEXT_EDITS, *REGION_PARAMETERS)


def xl_parameters(masked: tuple[str, ...]) -> tuple[ParameterInfo, ...]:
    """All parameters of XL, which was trained at 1024 pixels.  masked: its modes with masks.

    There are no words, as it has no text tower, and no color strength, which the published program does not use.
    """
    absent = ("color_strength", "layer_strengths")
    strengths = [info for info in _strengths(masked, _mixing(masked), masked) if info.name not in absent]
    copy = [replace(info, modes=masked) for info in _BACKGROUND_ENCODER if info.name == "copy_background"]
    sampling = [replace(info, default=XL_SAMPLER) if info.name == "sampler" else info for info in _sampling(1024, 2048, 32)]
    return (*strengths, *copy, *_LINE_LEVELS, *sampling, _PADDING, *_INJECTION, *REGION_PARAMETERS)


def defaults(infos: tuple[ParameterInfo, ...]) -> dict[str, Value]:
    """The default of every parameter by name."""
    return {info.name: info.default for info in infos}
