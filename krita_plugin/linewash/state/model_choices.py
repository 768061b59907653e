"""Which models there are, and what a painter's choices mean for the one that is chosen.  No widgets, no threads."""

from typing import Dict, Optional, Sequence, Tuple

from ..shared.errors import LinewashError
from ..shared.model_spec import ModeInfo, ModelInfo, ParameterInfo, ParameterValues, Value
from ..shared.protocol import REQUEST_PARAMETERS, Finish
from .choices import USUAL_MODEL, Area, DockerState


def find_model(models: Sequence[ModelInfo], name: str) -> Optional[ModelInfo]:
    """The model of that name, None while nothing is known of it."""
    return next((model for model in models if model.name == name), None)


def mode_of(choices: DockerState, model: ModelInfo) -> Optional[ModeInfo]:
    """The model's mode that is chosen, else its first; None when it has none."""
    named = [mode for mode in model.modes if mode.name == choices.chosen.mode]
    return next(iter(named + list(model.modes)), None)


def parameters_of(choices: DockerState, model: ModelInfo) -> Tuple[ParameterInfo, ...]:
    """What can be set in that mode."""
    mode = mode_of(choices, model)
    return tuple(each for each in model.parameters if each.applies_to(mode.name if mode else ""))


def values_of(choices: DockerState, model: ModelInfo) -> ParameterValues:
    """The values that were set and mean something in that mode, but for those that another file of that name forbids."""
    kept = {}
    for info in parameters_of(choices, model):
        value = choices.chosen.values.get(info.name)
        if value is not None:
            try:
                kept[info.name] = info.check(value)
            except LinewashError:
                continue
    return ParameterValues(kept)


def own_defaults(choices: DockerState, model: ModelInfo) -> Dict[str, Value]:
    """The model's own defaults of fields that every request has, which else would be those of the model that came along."""
    return {info.name: info.default for info in parameters_of(choices, model) if info.name in REQUEST_PARAMETERS}


def mode_label(choices: DockerState, model: Optional[ModelInfo]) -> str:
    """How that model is going to color, in a word or two for a result's name."""
    mode = mode_of(choices, model) if model is not None else None
    way = mode.title if mode is not None else effective_finish(choices, model).value
    return way + ", selection" if choices.mode is Area.SELECTION else way


def default_variation_label(choices: DockerState) -> str:
    """What seed 0 is called: with mini it means no chance at all, with others it is a seed like any."""
    return "Most likely" if choices.model == USUAL_MODEL else "Seed 0"


def effective_finish(choices: DockerState, model: Optional[ModelInfo]) -> Finish:
    """The finish that is chosen, else the model's first."""
    able = [finish for finish in Finish if model is None or finish.value in model.finishes]
    return choices.finish if choices.finish in able or not able else able[0]
