"""What the published networks learn to predict: the noise, or v, of a noisy latent (spec 21.1)."""

import torch
from torch import Tensor

from backend.families.diffusion.denoiser import Prediction
from backend.families.diffusion.noise_schedule import TRAINING_STEPS, alphas_cumprod

FINAL_TIMES = 900
"""From this time on, when nothing is left of the image, the reference's tokens get less noise again."""


def _signal_and_noise_scales(time: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """sqrt(abar) and sqrt(1 - abar) of times (B,), as (B, 1, 1, 1), with device and type of ``like``."""
    abar = torch.from_numpy(alphas_cumprod().copy()).to(like.device)[time.to(like.device)]
    signal, noise = (weight.sqrt().to(like.dtype)[:, None, None, None] for weight in (abar, 1 - abar))
    return signal, noise


def add_noise(clean: Tensor, noise: Tensor, time: Tensor) -> Tensor:
    """Clean latents, four-dimensional, with noise of that shape, at whole times (B,)."""
    signal_scale, noise_scale = _signal_and_noise_scales(time, clean)
    return signal_scale * clean + noise_scale * noise


def add_token_noise(tokens: Tensor, seeds: Tensor, time: Tensor) -> Tensor:
    """Reference tokens (B, n, C) with noise of their own at the image's times (B,).

    Times t >= 900 are replaced by 999 - t (spec 21.1, "noisy training"; ColorizeDiffusion, Yan et al. 2024).
    seeds: (B,) whole, of the noise of each example.
    """
    token_time = torch.where(time >= FINAL_TIMES, TRAINING_STEPS - 1 - time, time)
    noise = torch.stack([_seeded_noise(int(seed), tokens) for seed in seeds])
    return add_noise(tokens[..., None], noise, token_time)[..., 0]


def _seeded_noise(seed: int, tokens: Tensor) -> Tensor:
    """(n, C, 1) Gaussian; generated on the CPU, so that it is the same on every device."""
    shape = (*tokens.shape[1:], 1)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(tokens)


def training_target(clean: Tensor, noise: Tensor, time: Tensor, prediction: Prediction) -> Tensor:
    """What the network is to predict: the noise, or v = sqrt(abar) noise - sqrt(1 - abar) clean."""
    if prediction == "eps":
        return noise
    signal_scale, noise_scale = _signal_and_noise_scales(time, clean)
    return signal_scale * noise - noise_scale * clean


def min_snr_weight(time: Tensor, prediction: Prediction, gamma: float) -> Tensor:
    """(B,) weights min(S, gamma) / S; S: the signal-to-noise ratio, plus 1 for v (spec 21.1; Hang et al. 2023)."""
    abar = torch.from_numpy(alphas_cumprod().copy())[time.cpu()]
    ratio = abar / (1 - abar) + (1 if prediction == "v" else 0)
    return (ratio.clamp_max(gamma) / ratio).float().to(time.device)


def squared_errors(output: Tensor, target: Tensor) -> Tensor:
    """(B,) mean squared errors, in float32."""
    return (output.float() - target.float()).square().flatten(1).mean(1)
