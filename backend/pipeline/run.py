"""Colors one drawing: prepare, condition, denoise, decode, layers."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from backend.contract.drawing import Inputs, ProgressCallback, ResultLayers, StepProgress
from backend.contract.family import ColorModel, Condition, Latent
from backend.imaging.types import Gray, Rgba
from backend.pipeline.layers import compose_layers
from backend.pipeline.prepare import prepare
from shared.stages import Stage


@dataclass(frozen=True)
class RunResult:
    """What a run of the pipeline gives back."""

    layers: ResultLayers
    """At canvas size."""
    warnings: tuple[str, ...]
    """What the painter should know about the result, one sentence each."""
    seconds: dict[str, float]
    """Time of each stage, by ``Stage.value``."""


def colorize(inputs: Inputs, family: ColorModel[Condition, Latent], on_step: ProgressCallback) -> RunResult:
    """Colors one drawing with a loaded family.

    ``on_step`` is called at the start of each stage and after each denoising step; it raises ``CancelledError`` to stop there.
    Raises LinewashError where the inputs cannot be colored: EMPTY_LINES, EMPTY_REFERENCE, EMPTY_MASK and so on.
    """
    request = inputs.request
    seconds: dict[str, float] = {}

    @contextmanager
    def stage(name: Stage) -> Generator[None]:
        """Reports the stage's start and takes its time."""
        on_step(StepProgress(name))
        started = time.perf_counter()
        yield
        seconds[name.value] = time.perf_counter() - started

    with stage(Stage.PREPARE):
        drawing = prepare(inputs, family)
    with stage(Stage.CONDITION):  # families from the registry cache the last few by content
        condition = family.condition(drawing, request)
    with stage(Stage.DENOISE):
        latent = family.denoise(condition, request, on_step)
    with stage(Stage.DECODE):
        colors = family.decode(condition, latent, drawing, request)
    with stage(Stage.LAYERS):
        layers = compose_layers(drawing, colors)
        # The ink is not what the painter's layer shows then, so the result brings it along.
        if request.preparation.produces_lines:
            layers = replace(layers, lines=_line_layer(drawing.ink))
    return RunResult(layers, drawing.warnings + colors.warnings, seconds)


def _line_layer(ink: Gray) -> Rgba:
    """The ink (H, W) as a layer (H, W, 4): black, transparent where there is no line."""
    layer = np.zeros((*ink.shape, 4), np.uint8)
    layer[..., 3] = ink
    return layer
