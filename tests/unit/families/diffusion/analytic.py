"""Denoisers whose probability flow is known: the samplers are measured on them."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from backend.families.diffusion.denoiser import Denoiser, Prediction
from backend.families.diffusion.noise_schedule import Schedule, t_to_sigma
from backend.families.diffusion.samplers import Sampler
from backend.families.diffusion.sampling import sample

SPREAD, MEAN = 0.5, 0.3

Estimate = Callable[[Tensor, float], Tensor]


def weight(sigma: float) -> float:
    """How much of a noisy sample of N(mean, SPREAD^2) is believed."""
    return SPREAD**2 / (SPREAD**2 + sigma**2)


def gaussian(x: Tensor, sigma: float) -> Tensor:
    """The best estimate for clean ~ N(MEAN, SPREAD^2)."""
    return MEAN + weight(sigma) * (x - MEAN)


def driven(push: float) -> Estimate:
    """For a mean that changes with the noise, ``push`` sin ln sigma: linear, and no solver can be right by chance."""
    return lambda x, sigma: weight(sigma) * x + (1 - weight(sigma)) * push * math.sin(math.log(sigma))


def network(estimate: Estimate, prediction: Prediction) -> Denoiser:
    """A network that knows ``estimate``: (latent of variance 1, time) -> output."""

    def output(latent: Tensor, t: float) -> Tensor:
        sigma = float(t_to_sigma(t))
        keep = (sigma**2 + 1) ** -0.5
        clean = estimate(latent / keep, sigma)
        noise = (latent / keep - clean) / sigma
        return noise if prediction == "eps" else keep * noise - sigma * keep * clean

    return output


def run(
    sampler: Sampler,
    steps: int,
    noise: Tensor,
    estimate: Estimate = gaussian,
    schedule: Schedule = Schedule.AUTOMATIC,
    prediction: Prediction = "v",
    seed: int = 0,
) -> Tensor:
    """``sample`` on a known estimate."""
    generator = torch.Generator().manual_seed(seed)
    return sample(network(estimate, prediction), noise, sampler, schedule, steps, prediction, generator, lambda *_: None)
