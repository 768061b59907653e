"""A model keeps the conditions of the last four drawings."""

from dataclasses import replace
from typing import Any

import numpy as np

from backend.contract.drawing import Drawing
from backend.families.mini.family import Mini
from backend.families.runtime.condition_cache import CachingModel
from shared.protocol import ColorizeRequest, ReferenceRole

REQUEST = ColorizeRequest(200, 256, (ReferenceRole.BOTH, ReferenceRole.BOTH))


def test_four_conditions_are_kept_and_the_fifth_drops_the_first(drawing: Drawing, mini: Mini) -> None:
    computed: list[int] = []

    class Model:
        spec = mini.spec
        mask_warnings: tuple[str, ...] = ()
        segment_drawing, segment_reference = mini.segment_drawing, mini.segment_reference
        denoise, decode = mini.denoise, mini.decode

        def condition(self, drawing: Drawing, request: ColorizeRequest) -> int:
            computed.append(int(drawing.ink[0, 0]))
            return computed[-1]

    model = CachingModel[Any, Any](Model())

    def ask(number: int) -> None:
        ink = drawing.ink.copy()
        ink[0, 0] = number
        assert model.condition(replace(drawing, ink=np.ascontiguousarray(ink)), REQUEST) == number

    for number in (1, 2, 3, 4, 1):
        ask(number)
    assert computed == [1, 2, 3, 4]
    for number in (5, 1, 2):
        ask(number)
    assert computed == [1, 2, 3, 4, 5, 2]
