"""The diffusion itself, step by step."""

from backend.contract.drawing import ProgressCallback
from backend.contract.family import ColorModel, Condition, Latent
from shared.protocol import ColorizeRequest


def denoise(
    family: ColorModel[Condition, Latent], condition: Condition, request: ColorizeRequest, on_step: ProgressCallback
) -> Latent:
    """The family's latent; ``on_step`` is called after every step and may raise ``Cancelled``, which goes through."""
    return family.denoise(condition, request, on_step)
