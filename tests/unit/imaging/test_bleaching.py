"""Bleaching: white where the mask reaches the threshold, and nothing else changes."""

import numpy as np
import pytest
import torch

from backend.families.colorizediffusion.preprocessing import mask_to_tensor, whiten_background
from backend.families.runtime.canvas_frame import rgb_to_tensor
from backend.imaging.bleaching import bleach

RANDOM = np.random.default_rng(3)
RGB = RANDOM.integers(0, 256, (40, 30, 3), np.uint8)
MASK = RANDOM.integers(0, 256, (40, 30), np.uint8)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 1.0])
def test_white_where_the_mask_reaches_the_threshold(threshold: float) -> None:
    before = RGB.copy()
    bleached = bleach(RGB, MASK, threshold)
    foreground = threshold <= MASK / 255
    assert (bleached[foreground] == 255).all() and np.array_equal(bleached[~foreground], RGB[~foreground])
    assert bleached.dtype == np.uint8 and np.array_equal(RGB, before)


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 1.0])
def test_tensors_are_whitened_as_images_are(threshold: float) -> None:
    """What the painter is shown is what the model sees, to the last bit."""
    image, keep = rgb_to_tensor(RGB), mask_to_tensor(MASK) < threshold
    assert torch.equal(whiten_background(image, keep), rgb_to_tensor(bleach(RGB, MASK, threshold)))
