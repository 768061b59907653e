"""From a run to a checkpoint in AnimeDiffusion's published format."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from backend.families.animediffusion import key_mapping
from backend.families.animediffusion.sampling import alphas_cumprod, posterior_coefficients
from backend.networks.animediffusion import AnimeUNet
from backend.training.colorizediffusion.export import learned

SAMPLED = "unet."
"""Before the names of phase 2's weights."""
FIRSTS = tuple(f"encoder.{level}.0.conv1.weight" for level in range(4))
"""As long as their levels are wide."""


def schedule() -> dict[str, Tensor]:
    """The seven vectors (1000,) that published files hold beside the weights."""
    kept, known = alphas_cumprod(), posterior_coefficients()
    return {
        "gammas": kept.clone(),
        "sqrt_reciprocal_gammas": (1 / kept).sqrt(),
        "sqrt_reciprocal_gammas_m1": (1 / kept - 1).sqrt(),
        "posterior_variance": known.variance,
        "posterior_log_variance": known.variance.clamp(min=1e-20).log(),
        "posterior_mean_coef1": known.clean_weight,
        "posterior_mean_coef2": known.noisy_weight,
    }


def publish(run: Path, out: Path) -> int:
    """Write what a run has learned, its averaged weights where it keeps them; the number of weights.

    Raises FileNotFoundError when there is no checkpoint in one piece, ValueError when the run is none of AnimeDiffusion.
    """
    weights, averaged = learned(run)
    plain = {name.removeprefix(SAMPLED): weight for name, weight in weights.items()}
    if any(name not in plain for name in FIRSTS):
        raise ValueError(f"{run} is no run of anime1 or anime2")
    if averaged:
        with torch.device("meta"):
            network = AnimeUNet([len(plain[name]) for name in FIRSTS])
        plain = dict(zip((name for name, _ in network.named_parameters()), averaged, strict=True))
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    save_file(
        {**schedule(), **{key_mapping.unet_source(name).name: weight.contiguous() for name, weight in plain.items()}}, part
    )
    part.replace(out)
    return len(plain)
