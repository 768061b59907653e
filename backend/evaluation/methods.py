"""Every way to color a pair that is compared: baselines, the family's finishes, ceilings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from backend.contract.family import AnyColorModel
from backend.evaluation import baselines
from backend.evaluation.colorize_pair import ColorizedDrawing, ColorizeOptions, KnownReferenceMask, colorize_pair
from backend.evaluation.oracles import BestPaletteColors, BestRegionColors
from backend.evaluation.pairs import Pair
from backend.imaging.types import Gray, Rgb
from shared.protocol import Finish


class Role(Enum):
    """What a way is compared as."""

    BASELINE = "baseline"
    FAMILY = "family"
    ORACLE = "ceiling"


@dataclass(frozen=True)
class Method:
    """A way to color a pair with a seed.  Only a family's ways depend on the seed."""

    name: str
    role: Role
    color: Callable[[Pair, int], ColorizedDrawing]


def reference_mask(family: AnyColorModel, pair: Pair, guess: bool) -> Gray:
    """The reference's figure mask: the pair's own, or the model's guess."""
    known = None if guess else pair.reference_mask
    return family.guess_reference_mask(pair.reference) if known is None else known


def _baseline(name: str, color: Callable[[Pair], Rgb]) -> Method:
    return Method(name, Role.BASELINE, lambda pair, seed: ColorizedDrawing(color(pair), pair.mask))


def _family_finish(family: AnyColorModel, options: ColorizeOptions) -> Method:
    return Method(
        options.finish.value, Role.FAMILY, lambda pair, seed: colorize_pair(family, pair, replace(options, seed=seed))
    )


def _oracle(
    name: str, build: Callable[[AnyColorModel, Rgb], AnyColorModel], family: AnyColorModel, options: ColorizeOptions
) -> Method:
    def color(pair: Pair, seed: int) -> ColorizedDrawing:
        told = KnownReferenceMask(family, reference_mask(family, pair, options.guess_masks))
        return colorize_pair(build(told, pair.color), replace(pair, reference_mask=None), options)

    return Method(name, Role.ORACLE, color)


def all_methods(family: AnyColorModel, finishes: Sequence[Finish], options: ColorizeOptions) -> tuple[Method, ...]:
    """Baselines, the family in each finish (with the other settings as given), and ceilings, in the order of the tables."""
    flats = replace(options, finish=Finish.FLATS)
    return (
        _baseline("white", baselines.white),
        _baseline("mean color", lambda pair: baselines.mean_color(pair, reference_mask(family, pair, options.guess_masks))),
        _baseline("same position", baselines.same_position),
        *(_family_finish(family, replace(options, finish=finish)) for finish in finishes),
        _oracle("best palette color", BestPaletteColors, family, flats),
        _oracle("best color per region", BestRegionColors, family, flats),
    )
