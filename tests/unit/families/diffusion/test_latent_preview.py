"""The linear map from latents to colors."""

import numpy as np
import torch

from backend.families.diffusion.latent_preview import fit_latent_to_rgb, latent_to_rgb


def test_colors_that_are_linear_in_the_latent_are_found_again() -> None:
    draw = torch.Generator().manual_seed(0)
    latent, matrix = torch.randn(1, 4, 6, 8, generator=draw), 0.1 * torch.randn(3, 4, generator=draw)
    small = torch.einsum("rc,bchw->brhw", matrix, latent) + 0.2
    image = small.repeat_interleave(8, 2).repeat_interleave(8, 3)
    color_map = fit_latent_to_rgb(latent, image)
    assert color_map.shape == (5, 3)
    wanted = ((small[0].permute(1, 2, 0) + 1) * 127.5).clamp(0, 255).numpy()
    shown = latent_to_rgb(latent, color_map)
    assert shown.shape == (6, 8, 3) and shown.dtype == np.uint8
    assert np.abs(shown - wanted).max() <= 1


def test_colors_beyond_white_and_black_are_clipped() -> None:
    color_map = torch.tensor([[9.0, -9.0, 0.0], [0.0, 0.0, 0.0]])
    assert latent_to_rgb(torch.ones(2, 1, 1, 1), color_map).tolist() == [[[255, 0, 128]]]
