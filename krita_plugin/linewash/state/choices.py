"""What the painter chose: for one document (``DockerState``), and what is kept from one Krita to the next."""

import secrets
from dataclasses import dataclass, replace
from enum import Enum
from typing import AbstractSet, Any, Protocol, Tuple

from ..shared.line_preparation import LinePreparation
from ..shared.model_spec import NO_VALUES, ParameterValues, Value
from ..shared.protocol import ColorizeRequest, Finish, ReferenceRole

MAX_SEED = 9999
"""Seeds are drawn up to here: short enough to read in the group's name and to tell someone."""
MAX_MASKS = 8
"""How many masks may be united."""
MAX_VARIATIONS = 12
"""How many variations are listed."""
DEFAULT_MODEL = ColorizeRequest.__dataclass_fields__["model"].default
"""The model that came with the program."""


class SettingsStore(Protocol):
    """Where choices are kept when Krita ends."""

    def read_setting(self, name: str, default: str) -> str:
        """The value of that name."""
        ...

    def write_setting(self, name: str, value: str) -> None:
        """Keep a value."""
        ...


class ForegroundChoice(Enum):
    """Where the mask of the foreground comes from."""

    AUTOMATIC = "automatic"
    SELECTION = "selection"
    MASK = "mask"
    ALPHA = "alpha"

    @property
    def wants_layer(self) -> bool:
        """Whether the painter has to name a layer with it."""
        return self in (ForegroundChoice.MASK, ForegroundChoice.ALPHA)


@dataclass(frozen=True)
class ForegroundMask:
    """One of the masks whose union is the foreground; without a layer it is a mask that is still to be chosen."""

    choice: ForegroundChoice = ForegroundChoice.MASK
    layer_id: str = ""
    """'' where the choice wants no layer."""


class Area(Enum):
    """What is colored: everything, or only what is selected of the newest result."""

    WHOLE = "whole"
    SELECTION = "selection"


@dataclass(frozen=True)
class Reference:
    """One reference: a layer of the document or a file; exactly one of ``layer_id`` and ``path`` is not ''."""

    layer_id: str = ""
    path: str = ""
    used: bool = True
    role: ReferenceRole = ReferenceRole.BOTH

    @property
    def source(self) -> Tuple[str, str]:
        """Layer id and path: two references of one source differ only in use and role."""
        return self.layer_id, self.path


@dataclass(frozen=True)
class ModelOptions:
    """What was chosen of one model."""

    mode: str = ""
    """'' = its first."""
    values: ParameterValues = NO_VALUES
    """Of the parameters that were changed."""


@dataclass(frozen=True)
class DockerState:
    """All choices that the docker offers.

    ``lines``, ``hints`` and ``foreground_layer`` are layer ids; '' = the active one, or none.
    """

    lines: str = ""
    references: Tuple[Reference, ...] = ()
    hints: str = ""
    foreground: ForegroundChoice = ForegroundChoice.AUTOMATIC
    foreground_layer: str = ""
    more_masks: Tuple[ForegroundMask, ...] = ()
    """What is united with ``foreground``."""
    finish: Finish = Finish.PAINTED
    area: Area = Area.WHOLE
    seed: int = 0
    """Of the variation; 0 = the most likely colors."""
    seeds: Tuple[int, ...] = ()
    """Of the variations that were tried, the last one first."""
    model: str = DEFAULT_MODEL
    options_by_model: Tuple[Tuple[str, ModelOptions], ...] = ()
    lines_as: LinePreparation = LinePreparation.AS_DRAWN
    """How the line layer is read."""

    @property
    def model_options(self) -> ModelOptions:
        """What was chosen of this model."""
        return dict(self.options_by_model).get(self.model, ModelOptions())

    def with_options(self, **changes: Any) -> "DockerState":
        """The same with other options of this model."""
        options = dict(self.options_by_model, **{self.model: replace(self.model_options, **changes)})
        return replace(self, options_by_model=tuple(options.items()))

    def with_value(self, name: str, value: Value) -> "DockerState":
        """The same with another value of one of this model's parameters."""
        return self.with_options(values=ParameterValues(dict(self.model_options.values, **{name: value})))

    @property
    def effective_foreground(self) -> ForegroundChoice:
        """Where the first mask comes from."""
        return self.effective_mask(ForegroundMask(self.foreground)).choice

    def effective_mask(self, mask: ForegroundMask) -> ForegroundMask:
        """What a mask is in this area: the selection cannot say what is foreground, too, when it says what to recolor."""
        is_taken = self.area is Area.SELECTION and mask.choice is ForegroundChoice.SELECTION
        return ForegroundMask(ForegroundChoice.AUTOMATIC) if is_taken else mask

    @property
    def foreground_masks(self) -> Tuple[ForegroundMask, ...]:
        """The masks whose union is the foreground, each once."""
        first = ForegroundMask(self.foreground, self.foreground_layer if self.foreground.wants_layer else "")
        return tuple(dict.fromkeys(self.effective_mask(mask) for mask in (first, *self.more_masks)))

    def new_variation(self) -> "DockerState":
        """The same with a variation that was not tried yet."""
        seed = secrets.choice([number for number in range(1, MAX_SEED + 1) if number not in self.seeds])
        return replace(self, seed=seed, seeds=((seed,) + self.seeds)[:MAX_VARIATIONS])

    def without_deleted_layers(self, layer_ids: AbstractSet[str]) -> "DockerState":
        """The same without choices of layers that are not among these ids."""
        ids = {"", *layer_ids}
        return replace(
            self,
            references=tuple(reference for reference in self.references if reference.layer_id in ids),
            lines=self.lines if self.lines in ids else "",
            foreground_layer=self.foreground_layer if self.foreground_layer in ids else "",
            more_masks=tuple(mask for mask in self.more_masks if mask.layer_id in ids),
            hints=self.hints if self.hints in ids else "",
        )

    def used_references(self) -> Tuple[Reference, ...]:
        """The references that are switched on."""
        return tuple(reference for reference in self.references if reference.used)


def read_finish(settings: SettingsStore) -> Finish:
    """The finish chosen last, in this Krita or an earlier one."""
    saved = settings.read_setting("finish", Finish.PAINTED.value)
    return next((finish for finish in Finish if finish.value == saved), Finish.PAINTED)


def write_finish(settings: SettingsStore, finish: Finish) -> None:
    """Keep the finish."""
    settings.write_setting("finish", finish.value)


def read_model(settings: SettingsStore) -> str:
    """The model chosen last, in this Krita or an earlier one."""
    return settings.read_setting("model", DEFAULT_MODEL) or DEFAULT_MODEL


def write_model(settings: SettingsStore, name: str) -> None:
    """Keep the model."""
    settings.write_setting("model", name)
