"""Validation images show a network what it has learned from."""

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.families.animediffusion.loader import load_unet
from backend.imaging.thin_plate_warp import random_warp, warp_inside, warp_published
from backend.training.animediffusion.batch import WarpFunction
from backend.training.animediffusion.dataset import FacePairs, center_square
from backend.training.animediffusion.phases import DifferentiableSampler
from backend.training.animediffusion.validation_images import create_sheet_renderer
from backend.training.colorizediffusion.augment import to_signed_tensor
from tests.parity.golden import ANIME, golden


@pytest.mark.parametrize("warp", [warp_published, warp_inside, None])
def test_faces_are_painted_after_themselves_as_learned_and_after_the_next(warp: WarpFunction | None, faces: Path) -> None:
    data, unet, references = FacePairs(faces), load_unet(golden(ANIME).sd), list[torch.Tensor]()
    unet.register_forward_pre_hook(lambda _, inputs: references.append(inputs[2]))
    with torch.no_grad():
        sheets = [
            create_sheet_renderer(data, 32, warp, 2)(network)
            for network in (unet, DifferentiableSampler(unet, "published", 10, 1.0))
        ]
    assert np.array_equal(*sheets) and sheets[0].shape[1] > 6 * 32
    colors = [data.read(number).color for number in range(2)]
    warps = [random_warp(np.random.default_rng(number)) for number in range(2)]
    own = [warp(color, spline) if warp else color for color, spline in zip(colors, warps, strict=True)]
    assert torch.equal(references[0], to_signed_tensor([center_square(each, 32) for each in own]))
    assert torch.equal(references[10], to_signed_tensor([center_square(each, 32) for each in reversed(colors)]))
