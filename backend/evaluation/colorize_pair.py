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
class ColorizeOptions:
    """What is asked for.

    guess: the model finds the figures itself, in the drawing and in the reference.  mode: '' = the model's first.  values:
    of parameters, the fields of a request among them; the rest have the defaults of ``ColorizeRequest``.
    """

    finish: Finish
    seed: int = 0
    guess_masks: bool = False
    mode: str = ""
    values: ParameterValues = NO_VALUES


@dataclass(frozen=True)
class ColorizedDrawing:
    """A result without lines (h, w, 3), and which pixels were taken for figure (h, w), 255 = figure.

    seconds: wall clock of the whole pipeline.  cpu: processor seconds of all its threads.  calls: how often networks ran.
    All 0 for what needs no pipeline.
    """

    image: Rgb
    foreground: Gray
    seconds: float = 0.0
    cpu: float = 0.0
    calls: int = 0


class KnownReferenceMask(CachingModel[Any, Any]):
    """A family that is told where the reference's figure is, so that matching is measured alone."""

    def __init__(self, family: AnyColorModel, mask: Gray) -> None:
        super().__init__(family, size=1)
        self._mask = mask

    def guess_reference_mask(self, rgb: Rgb) -> Gray:
        """The known mask at the picture's size."""
        return resize_mask(self._mask, rgb.shape[1], rgb.shape[0])


def to_opaque_layer(rgb: Rgb) -> Rgba:
    """A picture (h, w, 3) as an opaque layer (h, w, 4)."""
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])


def colorize_drawing(
    family: AnyColorModel, lines: Rgb, reference: Rgb, mask: Gray | None, options: ColorizeOptions
) -> ColorizedDrawing:
    """One drawing (h, w, 3) in the colors of a reference (rh, rw, 3); mask (h, w), None = to be guessed."""
    height, width = lines.shape[:2]
    request = ColorizeRequest(
        width,
        height,
        (ReferenceRole.BOTH,),
        ForegroundSource.AUTOMATIC if mask is None else ForegroundSource.MASK,
        family.spec.name,
        options.finish,
        options.seed,
        mode=options.mode,
    )
    inputs = Inputs(replace_parameters(request, options.values), to_opaque_layer(lines), (to_opaque_layer(reference),), mask)
    calls = NetworkCallCounter()
    with calls.watch(family):
        started, before = time.perf_counter(), time.process_time()
        layers = colorize(inputs, family, _ignore_progress).layers
        seconds, cpu = time.perf_counter() - started, time.process_time() - before
    picture = np.ascontiguousarray(layers.composite[..., :3])
    return ColorizedDrawing(picture, np.ascontiguousarray(layers.foreground[..., 3]), seconds, cpu, calls.total)


def colorize_pair(family: AnyColorModel, pair: Pair, options: ColorizeOptions) -> ColorizedDrawing:
    """A pair's drawing; known masks are given unless ``settings.guess``."""
    known = None if options.guess_masks else pair.reference_mask
    told = family if known is None else KnownReferenceMask(family, known)
    mask = pair.mask if pair.split and not options.guess_masks else None
    return colorize_drawing(told, np.dstack([pair.line] * 3), pair.reference, mask, options)


def _ignore_progress(step: StepProgress) -> None:
    """No progress to show."""
