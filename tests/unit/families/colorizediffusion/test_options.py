"""What options are parsed to, and images of the right sign and place."""

import numpy as np
import pytest
import torch

from backend.families.colorizediffusion.layers import SD2_LAYERS
from backend.families.colorizediffusion.options import parse_strengths
from backend.families.colorizediffusion.preprocessing import SIDES, blank_sketch, frame_mask, sketch_tensor
from backend.families.colorizediffusion.spec import MASKED, defaults, parameters
from backend.families.runtime.canvas_frame import frame_canvas
from shared.model_spec import ParameterValues

USUAL = defaults(parameters((MASKED,), (MASKED,)))


def test_a_list_gives_each_layer_its_own_number() -> None:
    """The published program takes it one position late (spec 23.2, Q6)."""
    listed = [i / 20 for i in range(16)]
    found = parse_strengths(
        ParameterValues({**USUAL, "layer_strengths": " ".join(map(str, listed)), "reference_strength": 0.5}), SD2_LAYERS
    )
    assert found.reference == pytest.approx([0.5 * value for value in listed])


def test_levels_reach_their_layers_and_the_others_have_the_strength_itself() -> None:
    found = parse_strengths(
        ParameterValues({**USUAL, "encoder_strength": 0.1, "color_strength": 0.2, "semantics_strength": 0.3}), SD2_LAYERS
    )
    e, c, s = 0.1, 0.2, 0.3
    assert found.reference == pytest.approx((e, e, c, c, s, s, 1, s, s, s, c, c, c, 1, 1, 1))


def test_lines_are_1_and_paper_is_minus_1_and_beside_the_canvas_is_paper() -> None:
    ink, place = np.zeros((128, 256), np.uint8), frame_canvas(256, 128, 256, SIDES)
    ink[32:96, 64:192] = 255
    sketch = sketch_tensor(ink, place)
    assert sketch.shape == (1, 3, place.image_height, place.image_width)
    middle = sketch[0, :, place.image_height // 2, place.image_width // 2]
    assert middle.tolist() == [1, 1, 1] and sketch[0, :, 0, 0].tolist() == [-1, -1, -1]
    assert torch.equal(blank_sketch(sketch), torch.full_like(sketch, -1))
    assert frame_mask(ink, place)[0, 0].amax() == 1 and frame_mask(ink, place)[0, 0, 0, 0] == 0
