"""A family without a network, and a drawing to prepare."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from backend.contract.drawing import Colors, Drawing, Inputs, ProgressCallback
from backend.contract.family import ModelSpec
from backend.imaging.types import Gray, Rgb
from shared.line_preparation import LinePreparation
from shared.protocol import ColorizeRequest, Finish, ForegroundSource, ReferenceRole


class FakeFamily:
    """Guesses a disc in the middle of drawings and the darker half of references."""

    spec = ModelSpec("fake", "Fake", "none", (Finish.FLATS, Finish.PAINTED))
    mask_warnings: tuple[str, ...] = ()

    def __init__(self, radius: float = 0.33) -> None:
        self.radius = radius
        self.asked: list[tuple[int, ...]] = []
        self.shown_references: list[tuple[int, ...]] = []

    def segment_drawing(self, ink: Gray) -> Gray:
        self.asked.append(ink.shape)
        mask = np.zeros_like(ink)
        middle = (ink.shape[1] // 2, ink.shape[0] // 2)
        cv2.circle(mask, middle, round(self.radius * min(ink.shape)), 255 if self.radius else 0, -1, cv2.LINE_AA)
        return mask

    def segment_reference(self, rgb: Rgb) -> Gray:
        self.shown_references.append(rgb.shape)
        return np.where(rgb.mean(-1) < 128, 255, 0).astype(np.uint8)

    def condition(self, drawing: Drawing, request: ColorizeRequest) -> Any:
        raise NotImplementedError

    def denoise(self, condition: Any, request: ColorizeRequest, on_step: ProgressCallback) -> Any:
        raise NotImplementedError

    def decode(self, condition: Any, latent: Any, drawing: Drawing, request: ColorizeRequest) -> Colors:
        raise NotImplementedError


@pytest.fixture
def family() -> FakeFamily:
    return FakeFamily()


@pytest.fixture
def blind_family() -> FakeFamily:
    """A family that finds no foreground."""
    return FakeFamily(radius=0)


@pytest.fixture
def inputs() -> Callable[..., Inputs]:
    """``inputs(width, height, foreground=None, **parts)``: a ring drawn on transparency, one opaque reference."""

    def make(width: int = 300, height: int = 300, foreground: Gray | None = None, **parts: Any) -> Inputs:
        ink = np.zeros((height, width), np.uint8)
        radius = round(0.35 * min(width, height))
        cv2.circle(ink, (width // 2, height // 2), radius, 255, max(1, min(width, height) // 100), cv2.LINE_AA)
        cv2.line(ink, (0, height // 20), (width, height // 10), 255, max(1, min(width, height) // 100), cv2.LINE_AA)
        lines = np.zeros((height, width, 4), np.uint8)
        lines[..., 3] = ink
        reference = np.full((60, 80, 4), 255, np.uint8)
        reference[10:50, 20:60, :3] = (150, 40, 30)
        references = parts.get("references", (reference,))
        roles = (ReferenceRole.BOTH,) * parts.get("roles", len(references))
        preparation = parts.get("preparation", LinePreparation.AS_DRAWN)
        source = parts.get("source", ForegroundSource.AUTOMATIC if foreground is None else ForegroundSource.MASK)
        request = ColorizeRequest(width, height, roles, source, preparation=preparation)
        return Inputs(
            request,
            parts.get("lines", lines),
            references,
            foreground,
            previous=parts.get("previous"),
            selection=parts.get("selection"),
        )

    return make
