"""Every way to color a pair that is compared: baselines, the family's finishes, ceilings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from backend.contract.family import AnyColorModel
from backend.evaluation import baselines
from backend.evaluation.colorize_pair import Colored, Settings, Told, color_pair
from backend.evaluation.oracles import BestChoice, BestColors
from backend.evaluation.pairs import Pair
from backend.imaging.types import Gray, Rgb
from shared.protocol import Finish


class Role(Enum):
    """What a way is compared as."""

    BASELINE = "baseline"
    FAMILY = "family"
    CEILING = "ceiling"


@dataclass(frozen=True)
class Method:
    """A way to color a pair with a seed.  Only a family's ways depend on the seed."""

    name: str
    role: Role
    color: Callable[[Pair, int], Colored]


def reference_mask(family: AnyColorModel, pair: Pair, guess: bool) -> Gray:
    """The reference's figure mask: the pair's own, or the model's guess."""
    known = None if guess else pair.reference_mask
    return family.guess_reference_mask(pair.reference) if known is None else known


def _baseline(name: str, color: Callable[[Pair], Rgb]) -> Method:
    return Method(name, Role.BASELINE, lambda pair, seed: Colored(color(pair), pair.mask))


def _finish(family: AnyColorModel, settings: Settings) -> Method:
    return Method(settings.finish.value, Role.FAMILY, lambda pair, seed: color_pair(family, pair, replace(settings, seed=seed)))


def _ceiling(
    name: str, build: Callable[[AnyColorModel, Rgb], AnyColorModel], family: AnyColorModel, settings: Settings
) -> Method:
    def color(pair: Pair, seed: int) -> Colored:
        told = Told(family, reference_mask(family, pair, settings.guess))
        return color_pair(build(told, pair.color), replace(pair, reference_mask=None), settings)

    return Method(name, Role.CEILING, color)


def all_methods(family: AnyColorModel, finishes: Sequence[Finish], settings: Settings) -> tuple[Method, ...]:
    """Baselines, the family in each finish (with the other settings as given), and ceilings, in the order of the tables."""
    flats = replace(settings, finish=Finish.FLATS)
    return (
        _baseline("white", baselines.white),
        _baseline("mean color", lambda pair: baselines.mean_color(pair, reference_mask(family, pair, settings.guess))),
        _baseline("same position", baselines.same_position),
        *(_finish(family, replace(settings, finish=finish)) for finish in finishes),
        _ceiling("best palette choice", BestChoice, family, flats),
        _ceiling("best color per region", BestColors, family, flats),
    )
