"""A pair through the whole pipeline, as a painter's request would go."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.contract.drawing import Inputs, StepProgress
from backend.contract.family import AnyColorModel
from backend.evaluation.network_calls import NetworkCallCounter
from backend.evaluation.pairs import Pair
from backend.families.runtime.condition_cache import CachingModel
from backend.imaging.masks import resize_mask
from backend.imaging.types import Gray, Rgb, Rgba
from backend.pipeline.run import colorize
from shared.model_spec import NO_VALUES, ParameterValues
from shared.protocol import ColorizeRequest, Finish, ForegroundSource, ReferenceRole, replace_parameters


@dataclass(frozen=True)
class Settings:
    """What is asked for.

    guess: the model finds the figures itself, in the drawing and in the reference.  mode: '' = the model's first.  values:
    of parameters, the fields of a request among them; the rest have the defaults of ``ColorizeRequest``.
    """

    finish: Finish
    seed: int = 0
    guess: bool = False
    mode: str = ""
    values: ParameterValues = NO_VALUES


@dataclass(frozen=True)
class Colored:
    """A result without lines (h, w, 3), and which pixels were taken for figure (h, w), 255 = figure.

    seconds: wall clock of the whole pipeline.  cpu: processor seconds of all its threads.  calls: how often networks ran.
    All 0 for what needs no pipeline.
    """

    picture: Rgb
    figure: Gray
    seconds: float = 0.0
    cpu: float = 0.0
    calls: int = 0


class Told(CachingModel[Any, Any]):
    """A family that is told where the reference's figure is, so that matching is measured alone."""

    def __init__(self, family: AnyColorModel, mask: Gray) -> None:
        super().__init__(family, size=1)
        self._mask = mask

    def guess_reference_mask(self, rgb: Rgb) -> Gray:
        """The known mask at the picture's size."""
        return resize_mask(self._mask, rgb.shape[1], rgb.shape[0])


def opaque(rgb: Rgb) -> Rgba:
    """A picture (h, w, 3) as an opaque layer (h, w, 4)."""
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])


def color_drawing(family: AnyColorModel, lines: Rgb, reference: Rgb, mask: Gray | None, settings: Settings) -> Colored:
    """One drawing (h, w, 3) in the colors of a reference (rh, rw, 3); mask (h, w), None = to be guessed."""
    height, width = lines.shape[:2]
    request = ColorizeRequest(
        width,
        height,
        (ReferenceRole.BOTH,),
        ForegroundSource.AUTOMATIC if mask is None else ForegroundSource.MASK,
        family.spec.name,
        settings.finish,
        settings.seed,
        mode=settings.mode,
    )
    inputs = Inputs(replace_parameters(request, settings.values), opaque(lines), (opaque(reference),), mask)
    calls = NetworkCallCounter()
    with calls.counting(family):
        started, before = time.perf_counter(), time.process_time()
        layers = colorize(inputs, family, _nothing).layers
        seconds, cpu = time.perf_counter() - started, time.process_time() - before
    picture = np.ascontiguousarray(layers.composite[..., :3])
    return Colored(picture, np.ascontiguousarray(layers.foreground[..., 3]), seconds, cpu, calls.total)


def color_pair(family: AnyColorModel, pair: Pair, settings: Settings) -> Colored:
    """A pair's drawing; known masks are given unless ``settings.guess``."""
    known = None if settings.guess else pair.reference_mask
    told = family if known is None else Told(family, known)
    mask = pair.mask if pair.split and not settings.guess else None
    return color_drawing(told, np.dstack([pair.line] * 3), pair.reference, mask, settings)


def _nothing(step: StepProgress) -> None:
    """No progress to show."""
