"""From the latent to colors."""

from typing import Any

from backend.contract.drawing import Colors, Drawing
from backend.contract.family import ColorModel
from shared.protocol import ColorizeRequest


def decode(family: ColorModel, condition: Any, latent: Any, drawing: Drawing, request: ColorizeRequest) -> Colors:
    """A color for every region of the drawing and, when the finish is painted, the field over the canvas."""
    return family.decode(condition, latent, drawing, request)
