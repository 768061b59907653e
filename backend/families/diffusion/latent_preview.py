"""Colors of a latent without a decoder, for the preview while it is denoised."""

import torch
from torch import Tensor
from torch.nn import functional as F

from backend.imaging.types import Rgb

RIDGE = 1e-3


def fit_latent_to_rgb(latent: Tensor, image: Tensor) -> Tensor:
    """(C + 1, 3): the linear map from a latent cell (and 1) to its color that fits best where both are known.

    latent: (1, C, h, w) of ``image`` (1, 3, 8 h, 8 w) in -1..1.  Least squares with a little ridge, so that any autoencoder's
    latents can be shown.  The equations are solved on the CPU: they are tiny, and not every device solves any.
    """
    colors = F.interpolate(image.float(), size=latent.shape[-2:], mode="area").flatten(2)[0].T.cpu()
    cells = _with_constant(latent.float().flatten(2)[0].T.cpu())
    ridge = RIDGE * len(cells) * torch.eye(cells.shape[1])
    return torch.linalg.solve(cells.T @ cells + ridge, cells.T @ colors).to(latent.device)


def latent_to_rgb(latent: Tensor, color_map: Tensor) -> Rgb:
    """(h, w, 3) uint8 of the first latent (B, C, h, w) by the map of ``fit_latent_to_rgb``."""
    cells = _with_constant(latent[0].float().permute(1, 2, 0))
    return ((cells @ color_map + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).cpu().numpy()


def _with_constant(cells: Tensor) -> Tensor:
    """(..., C) -> (..., C + 1), the last number 1."""
    return torch.cat([cells, torch.ones_like(cells[..., :1])], -1)
