"""From the latent to colors."""

from backend.contract.drawing import Colors, Drawing
from backend.contract.family import ColorModel, Condition, Latent
from shared.protocol import ColorizeRequest


def decode(
    family: ColorModel[Condition, Latent], condition: Condition, latent: Latent, drawing: Drawing, request: ColorizeRequest
) -> Colors:
    """A color for every region of the drawing and, when the finish is painted, the field over the canvas."""
    return family.decode(condition, latent, drawing, request)
