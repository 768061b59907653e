"""Every way to colour a pair that is compared: baselines, the family's finishes, ceilings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from backend.evaluation import baselines
from backend.evaluation.ceilings import BestChoice, BestColours
from backend.evaluation.colouring import Coloured, Settings, Told, colour_pair
from backend.evaluation.pairs import Pair
from backend.families.base import Family
from backend.imaging.types import Gray, Rgb
from shared.protocol import Finish


class Role(Enum):
    """What a way is compared as."""

    BASELINE = "baseline"
    FAMILY = "family"
    CEILING = "ceiling"


@dataclass(frozen=True)
class Way:
    """A way to colour a pair with a seed.  Only a family's ways depend on the seed."""

    name: str
    role: Role
    colour: Callable[[Pair, int], Coloured]


def reference_mask(family: Family, pair: Pair, guess: bool) -> Gray:
    """The reference's figure mask: the pair's own, or the model's guess."""
    known = None if guess else pair.reference_mask
    return family.guess_reference_mask(pair.reference) if known is None else known


def _baseline(name: str, colour: Callable[[Pair], Rgb]) -> Way:
    return Way(name, Role.BASELINE, lambda pair, seed: Coloured(colour(pair), pair.mask))


def _finish(family: Family, settings: Settings) -> Way:
    return Way(settings.finish.value, Role.FAMILY, lambda pair, seed: colour_pair(family, pair, replace(settings, seed=seed)))


def _ceiling(name: str, build: Callable[[Family, Rgb], Family], family: Family, settings: Settings) -> Way:
    def colour(pair: Pair, seed: int) -> Coloured:
        told = Told(family, reference_mask(family, pair, settings.guess))
        return colour_pair(build(told, pair.colour), replace(pair, reference_mask=None), settings)

    return Way(name, Role.CEILING, colour)


def all_ways(family: Family, finishes: Sequence[Finish], settings: Settings) -> tuple[Way, ...]:
    """Baselines, the family in each finish (with the other settings as given), and ceilings, in the order of the tables."""
    flats = replace(settings, finish=Finish.FLATS)
    return (
        _baseline("white", baselines.white),
        _baseline("mean colour", lambda pair: baselines.mean_colour(pair, reference_mask(family, pair, settings.guess))),
        _baseline("same position", baselines.same_position),
        *(_finish(family, replace(settings, finish=finish)) for finish in finishes),
        _ceiling("best palette choice", BestChoice, family, flats),
        _ceiling("best colour per region", BestColours, family, flats),
    )
