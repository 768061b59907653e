"""The diffusion itself, step by step."""

from typing import Any

from backend.contract.drawing import OnStep
from backend.contract.family import Family
from shared.protocol import ColorizeRequest


def denoise(family: Family, condition: Any, request: ColorizeRequest, on_step: OnStep) -> Any:
    """The family's latent; ``on_step`` is called after every step and may raise ``Cancelled``, which goes through."""
    return family.denoise(condition, request, on_step)
