"""The diffusion itself, step by step."""

from typing import Any

from backend.contract.drawing import ProgressCallback
from backend.contract.family import ColorModel
from shared.protocol import ColorizeRequest


def denoise(family: ColorModel, condition: Any, request: ColorizeRequest, on_step: ProgressCallback) -> Any:
    """The family's latent; ``on_step`` is called after every step and may raise ``Cancelled``, which goes through."""
    return family.denoise(condition, request, on_step)
