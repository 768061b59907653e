"""A pair through the whole pipeline, as a painter's request would go."""

from dataclasses import dataclass

import numpy as np

from backend.evaluation.pairs import Pair
from backend.families.base import Family
from backend.families.remembering import Remembering
from backend.imaging.masks import resize_mask
from backend.imaging.types import Gray, Rgb, Rgba
from backend.pipeline.run import colorize
from backend.pipeline.types import Inputs, Step
from shared.protocol import ColorizeRequest, Finish, ForegroundSource, ReferenceRole


@dataclass(frozen=True)
class Settings:
    """What is asked for.  guess: the model finds the drawing's figure itself; else it is given the mask."""

    finish: Finish
    seed: int = 0
    steps: int = 10
    guidance: float = 1.5
    guess: bool = False


class Told(Remembering):
    """A family that is told where the reference's figure is, so that matching is measured alone."""

    def __init__(self, family: Family, mask: Gray) -> None:
        super().__init__(family, size=1)
        self._mask = mask

    def guess_reference_mask(self, rgb: Rgb) -> Gray:
        """The known mask at the picture's size."""
        return resize_mask(self._mask, rgb.shape[1], rgb.shape[0])


def _opaque(rgb: Rgb) -> Rgba:
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])


def colour_pair(family: Family, pair: Pair, settings: Settings) -> Rgb:
    """The composite layer (h, w, 3), without lines."""
    height, width = pair.line.shape
    guess = settings.guess or not pair.split
    source = ForegroundSource.AUTOMATIC if guess else ForegroundSource.MASK
    request = ColorizeRequest(
        width,
        height,
        (ReferenceRole.BOTH,),
        source,
        family.spec.name,
        settings.finish,
        settings.seed,
        settings.steps,
        settings.guidance,
    )
    mask = None if guess else pair.mask
    inputs = Inputs(request, _opaque(np.dstack([pair.line] * 3)), (_opaque(pair.reference),), mask)
    told = family if pair.reference_mask is None else Told(family, pair.reference_mask)
    return np.ascontiguousarray(colorize(inputs, told, _nothing).layers.composite[..., :3])


def _nothing(step: Step) -> None:
    """No progress to show."""


def reference_mask(family: Family, pair: Pair) -> Gray:
    """The reference's figure mask: the pair's own, or the model's guess."""
    return family.guess_reference_mask(pair.reference) if pair.reference_mask is None else pair.reference_mask
