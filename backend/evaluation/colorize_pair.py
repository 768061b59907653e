"""Colors a pair's drawing with the whole pipeline, as a painter's request would."""

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
    """How drawings are colored."""

    finish: Finish
    """Flats or painted."""
    seed: int = 0
    """Of the model's noise; 0 or more."""
    guess_masks: bool = False
    """Whether the model finds the foreground itself, in the drawing and in the reference."""
    mode: str = ""
    """A mode of the model; '' = its first."""
    values: ParameterValues = NO_VALUES
    """Values of parameters, those of ``ColorizeRequest`` included; others have their defaults."""


@dataclass(frozen=True)
class ColorizedDrawing:
    """A colored drawing, and the cost of coloring it; the cost is 0 for methods that need no pipeline."""

    image: Rgb
    """(h, w, 3): the result without lines."""
    foreground: Gray
    """(h, w): the mask that was used, 255 = foreground."""
    seconds: float = 0.0
    """On the clock, of the whole pipeline."""
    cpu: float = 0.0
    """Processor seconds of all threads."""
    calls: int = 0
    """How often networks ran."""


class KnownReferenceMask(CachingModel[Any, Any]):
    """A family with a given mask of the reference, so that a measurement does not depend on how well it segments references."""

    def __init__(self, family: AnyColorModel, mask: Gray) -> None:
        super().__init__(family, size=1)
        self._mask = mask

    def segment_reference(self, rgb: Rgb) -> Gray:
        """The given mask at the size of the image (h, w, 3)."""
        return resize_mask(self._mask, rgb.shape[1], rgb.shape[0])


def to_opaque_layer(rgb: Rgb) -> Rgba:
    """An image (h, w, 3) as an opaque layer (h, w, 4)."""
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])


def colorize_drawing(
    family: AnyColorModel, lines: Rgb, reference: Rgb, mask: Gray | None, options: ColorizeOptions
) -> ColorizedDrawing:
    """Color a drawing (h, w, 3) by a reference (rh, rw, 3).  mask: (h, w), or None for a guessed one."""
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
    image = np.ascontiguousarray(layers.composite[..., :3])
    return ColorizedDrawing(image, np.ascontiguousarray(layers.foreground[..., 3]), seconds, cpu, calls.total)


def colorize_pair(family: AnyColorModel, pair: Pair, options: ColorizeOptions) -> ColorizedDrawing:
    """Color a pair's drawing by its reference, with the pair's own masks unless ``options.guess_masks``."""
    reference_mask = None if options.guess_masks else pair.reference_mask
    model = family if reference_mask is None else KnownReferenceMask(family, reference_mask)
    mask = pair.mask if pair.split and not options.guess_masks else None
    return colorize_drawing(model, np.dstack([pair.line] * 3), pair.reference, mask, options)


def _ignore_progress(step: StepProgress) -> None:
    """Show no progress."""
