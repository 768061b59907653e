"""Write what a training run has learned as a checkpoint in AnimeDiffusion's published format."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from backend.families.animediffusion import key_mapping
from backend.families.animediffusion.sampling import alphas_cumprod, posterior_coefficients
from backend.networks.animediffusion import AnimeUNet
from backend.training.colorizediffusion.export import load_run_weights
from shared.atomic_file import replace_atomically

SAMPLER_PREFIX = "unet."
"""Before the names of phase 2's weights, where the U-Net is part of ``DifferentiableSampler``."""
WIDTH_KEYS = tuple(f"encoder.{level}.0.conv1.weight" for level in range(4))
"""Weights whose length is the width of their level."""


def schedule_buffers() -> dict[str, Tensor]:
    """The seven vectors (1000,) of the noise schedule that published files hold beside the weights."""
    gammas, q = alphas_cumprod(), posterior_coefficients()
    return {
        "gammas": gammas.clone(),
        "sqrt_reciprocal_gammas": (1 / gammas).sqrt(),
        "sqrt_reciprocal_gammas_m1": (1 / gammas - 1).sqrt(),
        "posterior_variance": q.variance,
        "posterior_log_variance": q.variance.clamp(min=1e-20).log(),
        "posterior_mean_coef1": q.clean_weight,
        "posterior_mean_coef2": q.noisy_weight,
    }


def export_checkpoint(run: Path, out: Path) -> int:
    """Write the weights of a training run, averaged ones where it keeps an average; the number of weights.

    Raises FileNotFoundError when there is no checkpoint in one piece, ValueError when it is no training run of AnimeDiffusion.
    """
    weights, averaged = load_run_weights(run)
    weights = {name.removeprefix(SAMPLER_PREFIX): weight for name, weight in weights.items()}
    if any(name not in weights for name in WIDTH_KEYS):
        raise ValueError(f"{run} is no run of anime1 or anime2")
    if averaged:
        # averages are stored in the order of the network's parameters, without names
        with torch.device("meta"):
            network = AnimeUNet([len(weights[name]) for name in WIDTH_KEYS])
        weights = dict(zip((name for name, _ in network.named_parameters()), averaged, strict=True))
    published = {key_mapping.unet_source(name).name: weight.contiguous() for name, weight in weights.items()}
    out.parent.mkdir(parents=True, exist_ok=True)
    with replace_atomically(out) as part:
        save_file({**schedule_buffers(), **published}, part)
    return len(weights)
