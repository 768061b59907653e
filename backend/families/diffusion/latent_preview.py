"""A quick look at a latent: what colors it will roughly have, without a decoder."""

import torch
from torch import Tensor
from torch.nn import functional as F

from backend.imaging.types import Rgb

RIDGE = 1e-3


def fit_latent_to_rgb(latent: Tensor, picture: Tensor) -> Tensor:
    """(C + 1, 3): the linear map from a latent cell (and 1) to its color that fits best where both are known.

    latent: (1, C, h, w) of ``picture`` (1, 3, 8 h, 8 w) in -1..1.  Least squares with a little ridge, so that any autoencoder's
    latents can be shown.
    """
    cells = latent.float().flatten(2)[0].T
    wanted = F.interpolate(picture.float(), size=latent.shape[-2:], mode="area").flatten(2)[0].T
    one = torch.cat([cells, torch.ones_like(cells[:, :1])], 1)
    ridge = RIDGE * len(one) * torch.eye(one.shape[1], device=one.device)
    return torch.linalg.solve(one.T @ one + ridge, one.T @ wanted)


def latent_to_rgb(latent: Tensor, colors: Tensor) -> Rgb:
    """(h, w, 3) uint8 of the first latent (B, C, h, w) through ``fit_latent_to_rgb``."""
    cells = latent[0].float().permute(1, 2, 0)
    one = torch.cat([cells, torch.ones_like(cells[..., :1])], -1)
    return ((one @ colors + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
