"""What a model computes once per picture, before any noise."""

from typing import Any

from backend.contract.drawing import Drawing
from backend.contract.family import ColorModel, Condition
from shared.protocol import ColorizeRequest


def condition(family: ColorModel[Condition, Any], drawing: Drawing, request: ColorizeRequest) -> Condition:
    """The family's condition of this picture; a family from the registry remembers the last few by content."""
    return family.condition(drawing, request)
