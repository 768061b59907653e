"""What the painter chose: for one picture (``DockerState``), and what is remembered from one Krita to the next."""

import secrets
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Tuple

from ..shared.line_preparation import LinePreparation
from ..shared.model_spec import NO_VALUES, ParameterValues, Value
from ..shared.protocol import ColorizeRequest, Finish, ReferenceRole

if TYPE_CHECKING:
    from ..krita_api.application import KritaApp


MAX_SEED = 9999
"""Seeds are drawn up to here: short enough to read in the group's name and to tell someone."""
MAX_TRIED = 12
USUAL_MODEL = ColorizeRequest.__dataclass_fields__["model"].default
"""The model that came with the program."""


class ForegroundChoice(Enum):
    """Where the figure's mask comes from."""

    AUTOMATIC = "automatic"
    SELECTION = "selection"
    MASK = "mask"
    ALPHA = "alpha"

    @property
    def wants_layer(self) -> bool:
        """Whether the painter has to name a layer with it."""
        return self in (ForegroundChoice.MASK, ForegroundChoice.ALPHA)


class Area(Enum):
    """What is colored: everything, or only what is selected of the newest result."""

    WHOLE = "whole"
    SELECTION = "selection"


@dataclass(frozen=True)
class Reference:
    """One reference: a layer of the picture (``layer_id``) or a file (``path``); exactly one of the two is not ''."""

    layer_id: str = ""
    path: str = ""
    used: bool = True
    role: ReferenceRole = ReferenceRole.BOTH


@dataclass(frozen=True)
class ModelOptions:
    """What was chosen of one model.  mode: '' = its first.  values: of the parameters that were changed."""

    mode: str = ""
    values: ParameterValues = NO_VALUES


@dataclass(frozen=True)
class DockerState:
    """All that the docker asks.  ``lines``, ``hints`` and ``foreground_layer`` are layer ids; '' = the active one, or none.

    lines_as: how the line layer is read.  seed: of the variation, 0 = the most likely colors.  seeds: of the variations that
    were tried, the last one first.  model: its name; by_model: what was chosen of each.
    """

    lines: str = ""
    references: Tuple[Reference, ...] = ()
    hints: str = ""
    foreground: ForegroundChoice = ForegroundChoice.AUTOMATIC
    foreground_layer: str = ""
    finish: Finish = Finish.PAINTED
    mode: Area = Area.WHOLE
    seed: int = 0
    seeds: Tuple[int, ...] = ()
    model: str = USUAL_MODEL
    by_model: Tuple[Tuple[str, ModelOptions], ...] = ()
    lines_as: LinePreparation = LinePreparation.AS_DRAWN

    @property
    def chosen(self) -> ModelOptions:
        """What was chosen of this model."""
        return dict(self.by_model).get(self.model, ModelOptions())

    def of_model(self, **changes: Any) -> Tuple[Tuple[str, ModelOptions], ...]:
        """``by_model`` with other choices of this model."""
        return tuple(dict(self.by_model, **{self.model: replace(self.chosen, **changes)}).items())

    def with_value(self, name: str, value: Value) -> Tuple[Tuple[str, ModelOptions], ...]:
        """``by_model`` with another value of one of this model's parameters."""
        return self.of_model(values=ParameterValues(dict(self.chosen.values, **{name: value})))

    @property
    def figure(self) -> ForegroundChoice:
        """Where the figure's mask comes from: the selection cannot say that, too, when it says what to recolor."""
        recolors = self.mode is Area.SELECTION and self.foreground is ForegroundChoice.SELECTION
        return ForegroundChoice.AUTOMATIC if recolors else self.foreground

    def new_variation(self) -> "DockerState":
        """The same with a variation that was not tried yet."""
        seed = secrets.choice([each for each in range(1, MAX_SEED + 1) if each not in self.seeds])
        return replace(self, seed=seed, seeds=((seed,) + self.seeds)[:MAX_TRIED])

    def used_references(self) -> Tuple[Reference, ...]:
        """The references that are switched on."""
        return tuple(reference for reference in self.references if reference.used)


def read_finish(host: "KritaApp") -> Finish:
    """The finish chosen last, in this Krita or an earlier one."""
    saved = host.read_setting("finish", Finish.PAINTED.value)
    return next((finish for finish in Finish if finish.value == saved), Finish.PAINTED)


def write_finish(host: "KritaApp", finish: Finish) -> None:
    """Remember the finish."""
    host.write_setting("finish", finish.value)


def read_model(host: "KritaApp") -> str:
    """The model chosen last, in this Krita or an earlier one."""
    return host.read_setting("model", USUAL_MODEL) or USUAL_MODEL


def write_model(host: "KritaApp", name: str) -> None:
    """Remember the model."""
    host.write_setting("model", name)
