"""What the painter chose: for one picture (``Choices``), and what is remembered from one Krita to the next."""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Tuple

from .shared.protocol import Finish, ReferenceRole

if TYPE_CHECKING:
    from .host import Host


class ForegroundKind(Enum):
    """Where the figure's mask comes from."""

    AUTOMATIC = "automatic"
    SELECTION = "selection"
    MASK = "mask"
    ALPHA = "alpha"

    @property
    def wants_layer(self) -> bool:
        """Whether the painter has to name a layer with it."""
        return self in (ForegroundKind.MASK, ForegroundKind.ALPHA)


@dataclass(frozen=True)
class Reference:
    """One reference: a layer of the picture (``layer_id``) or a file (``path``); exactly one of the two is not ''."""

    layer_id: str = ""
    path: str = ""
    used: bool = True
    role: ReferenceRole = ReferenceRole.BOTH


@dataclass(frozen=True)
class Choices:
    """All that the docker asks.  ``lines`` and ``foreground_layer`` are layer ids; '' = the active one, or none."""

    lines: str = ""
    references: Tuple[Reference, ...] = ()
    foreground: ForegroundKind = ForegroundKind.AUTOMATIC
    foreground_layer: str = ""
    finish: Finish = Finish.PAINTED

    def used_references(self) -> Tuple[Reference, ...]:
        """The references that are switched on."""
        return tuple(reference for reference in self.references if reference.used)


def read_finish(host: "Host") -> Finish:
    """The finish chosen last, in this Krita or an earlier one."""
    saved = host.read_setting("finish", Finish.PAINTED.value)
    return next((finish for finish in Finish if finish.value == saved), Finish.PAINTED)


def write_finish(host: "Host", finish: Finish) -> None:
    """Remember the finish."""
    host.write_setting("finish", finish.value)
