"""A small drawing to color with the golden checkpoints, through the whole pipeline."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from backend.contract.drawing import Inputs
from backend.contract.family import ModelSpec
from backend.families.colorizediffusion import v1, v2, v15
from backend.families.colorizediffusion.family import ColorizeDiffusion
from backend.imaging.types import Gray, Rgb
from backend.pipeline.run import RunResult, colorize
from shared.protocol import ColorizeRequest, ForegroundSource, ReferenceRole

SPECS = {"v1": v1.SPEC, "v1.5": v15.SPEC, "v2": v2.SPEC}


class Discs:
    """Finds a disc in the middle."""

    mask_warnings: tuple[str, ...] = ()

    def segment_drawing(self, ink: Gray) -> Gray:
        return _disc(*ink.shape)

    def segment_reference(self, rgb: Rgb) -> Gray:
        return _disc(*rgb.shape[:2])


def _disc(height: int, width: int) -> Gray:
    mask = np.zeros((height, width), np.uint8)
    cv2.circle(mask, (width // 2, height // 2), min(height, width) // 3, 255, -1)
    return mask


def reference_image(seed: int, height: int = 90, width: int = 120) -> np.ndarray:
    """Blots of color, opaque."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    rgb = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.dstack([rgb, np.full((height, width), 255, np.uint8)])


def lines(radius: int = 60) -> np.ndarray:
    drawn = np.zeros((160, 240, 4), np.uint8)
    cv2.circle(drawn, (120, 80), radius, (0, 0, 0, 255), 3, cv2.LINE_AA)
    return drawn


def given(
    spec: ModelSpec, mode: str = "", drawing: np.ndarray | None = None, references: tuple[int, ...] = (1,), **settings: Any
) -> Inputs:
    roles = (ReferenceRole.BOTH, ReferenceRole.BACKGROUND)[: len(references)]
    fields = {name: settings.pop(name) for name in ("seed", "guidance", "finish", "steps") if name in settings}
    request = ColorizeRequest(
        240,
        160,
        roles,
        ForegroundSource.AUTOMATIC,
        spec.name,
        mode=mode,
        parameters={"size": 256, "sampler": "ddim", **settings},
    )
    request = replace(request, **{"steps": 2, "guidance": 3.0, **fields})
    return Inputs(request, lines() if drawing is None else drawing, tuple(map(reference_image, references)), None)


def run(family: ColorizeDiffusion, inputs: Inputs) -> RunResult:
    return colorize(inputs, family, lambda step: None)


def same(one: RunResult, other: RunResult) -> bool:
    return np.array_equal(one.layers.composite, other.layers.composite)
