"""The field denoiser: sizes, a reference that is withheld, and warped colors."""

import math

import pytest
import torch

from backend.networks.mini.field_denoiser import DenoiserInputs, EncodedCondition, FieldDenoiser, warp_colors
from backend.networks.mini.flats import CELLS
from backend.networks.mini.foreground import ForegroundUNet


def _shown(batch: int, field: int = 64) -> DenoiserInputs:
    return DenoiserInputs(
        torch.rand(batch, 1, 4 * field, 4 * field),
        torch.rand(batch, 1, field, field),
        torch.rand(batch, 4, CELLS, CELLS),
        torch.rand(batch, 3, 128, 128),
        torch.rand(batch, 1, 32, 32),
    )


def test_field_denoiser_and_foreground_unet_keep_the_size() -> None:
    painted, drop = FieldDenoiser().eval(), torch.tensor([False, True])
    given = painted.condition(_shown(2), torch.rand(2, 3, 64, 64), drop)
    assert painted(torch.randn(2, 3, 64, 64), torch.rand(2), given).shape == (2, 3, 64, 64)
    logits = ForegroundUNet().eval()(torch.rand(2, 1, 256, 256), torch.rand(2, 3, 128, 128), torch.tensor([0.0, 1.0]))
    assert logits.shape == (2, 1, 256, 256)


def test_a_withheld_reference_has_no_effect() -> None:
    painted, anchor, shown = FieldDenoiser().eval(), torch.rand(1, 3, 64, 64), _shown(1)

    def withheld() -> EncodedCondition:
        other = shown._replace(
            warped_colors=torch.rand(1, 4, 32, 32),
            reference=torch.rand(1, 3, 128, 128),
            reference_mask=torch.rand(1, 1, 32, 32),
        )
        return painted.condition(other, anchor, torch.tensor([True]))

    first, second = withheld(), withheld()
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a, b)


def test_warp_brings_colors_and_says_how_sure() -> None:
    colors = torch.zeros(1, 4, 3)
    colors[0, 1] = 1.0
    pointing = torch.zeros(1, 4, 4)
    pointing[0, 0, 1] = 1.0  # one cell points at white
    pointing[0, 1:, :2] = 0.5  # the others halfway between black and white
    found = warp_colors(pointing, colors)
    torch.testing.assert_close(found[0, :3, 0, 0], torch.ones(3))
    torch.testing.assert_close(found[0, :3, 1, 1], torch.full((3,), 0.5))
    assert found[0, 3, 0, 0] > 0.99 and found[0, 3, 1, 1] < 0.01


def test_confidence_falls_to_1_over_e_at_a_spread_of_a_tenth() -> None:
    colors = torch.tensor([[[0.5 - 0.1, 0.5, 0.5], [0.5 + 0.1, 0.5, 0.5]]])  # a spread of 0.1
    confidence = warp_colors(torch.full((1, 1, 2), 0.5), colors)[0, 3, 0, 0]
    assert confidence.item() == pytest.approx(math.exp(-1), abs=1e-4)
