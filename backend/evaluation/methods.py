"""The methods that are compared: baselines, the finishes of the model, and oracles."""

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
    """What a method is compared as."""

    BASELINE = "baseline"
    FAMILY = "family"
    ORACLE = "oracle"


@dataclass(frozen=True)
class Method:
    """Colors a pair's drawing."""

    name: str
    """As tables show it."""
    role: Role
    """Baseline, oracle, or a finish of the model."""
    color: Callable[[Pair, int], ColorizedDrawing]
    """From a pair and a seed; only the model's methods depend on the seed."""


def reference_mask(family: AnyColorModel, pair: Pair, guess: bool) -> Gray:
    """The foreground mask of the reference: the pair's own unless `guess`, else the model's guess."""
    if guess or pair.reference_mask is None:
        return family.segment_reference(pair.reference)
    return pair.reference_mask


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
        model = KnownReferenceMask(family, reference_mask(family, pair, options.guess_masks))
        return colorize_pair(build(model, pair.color), replace(pair, reference_mask=None), options)

    return Method(name, Role.ORACLE, color)


def all_methods(family: AnyColorModel, finishes: Sequence[Finish], options: ColorizeOptions) -> tuple[Method, ...]:
    """Baselines, the model in each finish (with the other options as given), and oracles, in the order of the tables."""
    flats = replace(options, finish=Finish.FLATS)
    return (
        _baseline("white", baselines.white),
        _baseline("mean color", lambda pair: baselines.mean_color(pair, reference_mask(family, pair, options.guess_masks))),
        _baseline("same position", baselines.same_position),
        *(_family_finish(family, replace(options, finish=finish)) for finish in finishes),
        _oracle("best palette color", BestPaletteColors, family, flats),
        _oracle("best color per region", BestRegionColors, family, flats),
    )
