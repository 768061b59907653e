"""What the published networks learn: the noise or v of a noised latent (spec 21.1)."""

import torch
from torch import Tensor

from backend.families.colorizediffusion.evaluation import Prediction
from backend.families.colorizediffusion.schedule import alphas_cumprod


def _weights(time: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """sqrt(abar) and sqrt(1 - abar) of times (B,), as (B, 1, 1, 1)."""
    abar = torch.from_numpy(alphas_cumprod().copy()).to(like.device)[time.to(like.device)]
    return tuple(weight.sqrt().to(like.dtype)[:, None, None, None] for weight in (abar, 1 - abar))  # type: ignore[return-value]


def noised(clean: Tensor, noise: Tensor, time: Tensor) -> Tensor:
    """Clean latents (B, 4, h, w) with noise of that shape, at whole times (B,)."""
    kept, added = _weights(time, clean)
    return kept * clean + added * noise


def target(clean: Tensor, noise: Tensor, time: Tensor, prediction: Prediction) -> Tensor:
    """What the network shall say of ``noised``: the noise, or v = sqrt(abar) noise - sqrt(1 - abar) clean."""
    if prediction == "eps":
        return noise
    kept, added = _weights(time, clean)
    return kept * noise - added * clean


def min_snr_weight(time: Tensor, prediction: Prediction, gamma: float) -> Tensor:
    """(B,) weights min(S, gamma) / S; S: the signal-to-noise ratio, for v 1 more (spec 21.1; Hang et al. 2023)."""
    abar = torch.from_numpy(alphas_cumprod().copy())[time.cpu()]
    ratio = abar / (1 - abar) + (1 if prediction == "v" else 0)
    return (ratio.clamp_max(gamma) / ratio).float().to(time.device)


def squared_errors(output: Tensor, wanted: Tensor) -> Tensor:
    """(B,) mean squared errors, in float32."""
    return (output.float() - wanted.float()).square().flatten(1).mean(1)
