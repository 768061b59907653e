"""From the latent to colours."""

from typing import Any

from backend.families.base import Family
from backend.pipeline.types import Colours, Drawing
from shared.protocol import ColorizeRequest


def decode(family: Family, condition: Any, latent: Any, drawing: Drawing, request: ColorizeRequest) -> Colours:
    """A colour for every region of the drawing and, when the finish is painted, the field over the canvas."""
    return family.decode(condition, latent, drawing, request)
