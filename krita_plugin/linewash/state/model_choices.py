"""Which models there are, and what a painter's choices mean for the one that is chosen.  No widgets, no threads."""

from typing import Dict, Optional, Sequence, Tuple

from ..shared.errors import LinewashError
from ..shared.model_spec import (
    CLEAR_BACKGROUND,
    REFERENCE_THRESHOLD,
    ModeInfo,
    ModelInfo,
    ParameterInfo,
    ParameterValues,
    Value,
)
from ..shared.protocol import REQUEST_PARAMETERS, Finish, ReferenceRole
from .choices import DEFAULT_MODEL, Area, DockerState, Reference


def find_model(models: Sequence[ModelInfo], name: str) -> Optional[ModelInfo]:
    """The model of that name, None while nothing is known of it."""
    return next((model for model in models if model.name == name), None)


def selected_mode(choices: DockerState, model: ModelInfo) -> Optional[ModeInfo]:
    """The model's mode that is chosen, else its first; None when it has none."""
    chosen = [mode for mode in model.modes if mode.name == choices.model_options.mode]
    return next(iter(chosen + list(model.modes)), None)


def mode_parameters(choices: DockerState, model: ModelInfo) -> Tuple[ParameterInfo, ...]:
    """The parameters that apply in the selected mode."""
    mode = selected_mode(choices, model)
    return tuple(info for info in model.parameters if info.applies_to(mode.name if mode else ""))


def chosen_values(choices: DockerState, model: ModelInfo) -> ParameterValues:
    """The values that were set and apply in that mode, without those that a newer model of that name forbids."""
    values: Dict[str, Value] = {}
    for info in mode_parameters(choices, model):
        value = choices.model_options.values.get(info.name)
        if value is not None:
            try:
                values[info.name] = info.check(value)
            except LinewashError:
                continue
    return ParameterValues(values)


def bleaching_threshold(choices: DockerState, model: Optional[ModelInfo]) -> Optional[float]:
    """The mask value 0..1 from which the foreground of background references is whitened; None where the model keeps it."""
    infos = mode_parameters(choices, model) if model is not None else ()
    values = dict({info.name: info.default for info in infos}, **(chosen_values(choices, model) if model is not None else {}))
    return float(values.get(REFERENCE_THRESHOLD, 0.5)) if values.get(CLEAR_BACKGROUND) is True else None


def background_reference(references: Sequence[Reference]) -> Optional[Reference]:
    """The one that colors the background of published models: the first with that role, unless it is the only one of all.

    Of several that all have it, the first colors the rest.
    """
    main = next((each for each in references if each.role is not ReferenceRole.BACKGROUND), next(iter(references), None))
    return next((each for each in references if each.role is ReferenceRole.BACKGROUND and each is not main), None)


def own_defaults(choices: DockerState, model: ModelInfo) -> Dict[str, Value]:
    """The model's own defaults of the fields in ``REQUEST_PARAMETERS``, in place of the default model's."""
    return {info.name: info.default for info in mode_parameters(choices, model) if info.name in REQUEST_PARAMETERS}


def mode_label(choices: DockerState, model: Optional[ModelInfo]) -> str:
    """How that model is going to color, in a word or two for a result's name."""
    mode = selected_mode(choices, model) if model is not None else None
    label = mode.title if mode is not None else effective_finish(choices, model).value
    return label + ", selection" if choices.area is Area.SELECTION else label


def default_variation_label(choices: DockerState) -> str:
    """What seed 0 is called: with mini it means no chance at all, with others it is a seed like any other."""
    return "Most likely" if choices.model == DEFAULT_MODEL else "Seed 0"


def effective_finish(choices: DockerState, model: Optional[ModelInfo]) -> Finish:
    """The finish that is chosen, else the model's first."""
    possible = [finish for finish in Finish if model is None or finish.value in model.finishes]
    return choices.finish if choices.finish in possible or not possible else possible[0]
