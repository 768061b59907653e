"""The way of one picture through all stages: prepare, condition, denoise, decode, layers."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from backend.contract.drawing import Inputs, ProgressCallback, ResultLayers, StepProgress
from backend.contract.family import ColorModel, Condition, Latent
from backend.imaging.types import Gray, Rgba
from backend.pipeline.condition import condition
from backend.pipeline.decode import decode
from backend.pipeline.denoise import denoise
from backend.pipeline.layers import compose_layers
from backend.pipeline.prepare import prepare


@dataclass(frozen=True)
class RunResult:
    """The layers, what the painter should know about them, and the seconds each stage took."""

    layers: ResultLayers
    warnings: tuple[str, ...]
    seconds: dict[str, float]


def colorize(inputs: Inputs, family: ColorModel[Condition, Latent], on_step: ProgressCallback) -> RunResult:
    """Color one drawing with a loaded family.

    ``on_step`` is called at the start of every stage and after every denoising step; it raises ``Cancelled`` to stop there.
    Raises LinewashError where a picture cannot be colored: EMPTY_LINES, EMPTY_REFERENCE, EMPTY_MASK and so on.
    """
    seconds: dict[str, float] = {}

    @contextmanager
    def stage(name: str) -> Generator[None]:
        on_step(StepProgress(name))
        started = time.perf_counter()
        yield
        seconds[name] = time.perf_counter() - started

    request = inputs.request
    with stage("prepare"):
        drawing = prepare(inputs, family)
    with stage("condition"):
        known = condition(family, drawing, request)
    with stage("denoise"):
        latent = denoise(family, known, request, on_step)
    with stage("decode"):
        colors = decode(family, known, latent, drawing, request)
    with stage("layers"):
        result = compose_layers(drawing, colors)
        if request.preparation.produces_lines:
            result = replace(result, lines=_black(drawing.ink))
    return RunResult(result, drawing.warnings + colors.warnings, seconds)


def _black(ink: Gray) -> Rgba:
    """The ink (H, W) as a layer (H, W, 4): black, and transparent where there is no line."""
    layer = np.zeros((*ink.shape, 4), np.uint8)
    layer[..., 3] = ink
    return layer
