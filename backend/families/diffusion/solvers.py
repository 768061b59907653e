"""Samplers that diffusers has not got, or not for a given list of noise levels; from the formulas of their papers.

Their names are k-diffusion's.  All work on a latent x = clean + sigma noise.  With lambda = -ln sigma and a step of width h in
lambda, the exact solution for a constant estimate D of the clean latent is x' = (sigma' / sigma) x - (e^-h - 1) D (Lu et al.
2022b, DPM-Solver++, eq. 8 with alpha = 1).  An ancestral step goes down to ``sigma_down`` by that and adds fresh noise up to
sigma' (Song et al. 2021, eq. 16 with eta = 1), all of it repeatable from the generator.
"""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from backend.families.diffusion.denoiser import LatentEdit, keep_latent

Denoise = Callable[[Tensor, float], Tensor]
"""(x, sigma) -> estimate of the clean latent, same shape."""

Solver = Callable[[Denoise, Tensor, list[float], torch.Generator, LatentEdit], Tensor]
"""(estimate, x at the first sigma, falling sigmas ending in 0, CPU generator, what edits x after a step) -> x at sigma 0."""


def sample_noise(like: Tensor, generator: torch.Generator) -> Tensor:
    """Gaussian noise of the generator's own device, brought to where ``like`` is: the same on every machine."""
    return torch.randn(like.shape, generator=generator, dtype=torch.float32, device=generator.device).to(like)


def get_ancestral_step(sigma: float, sigma_next: float) -> tuple[float, float]:
    """(sigma_down, sigma_up): denoise down to ``sigma_down``, then add ``sigma_up`` of fresh noise; eta 1."""
    sigma_up = sigma_next * math.sqrt(1 - (sigma_next / sigma) ** 2)
    return sigma_next**2 / sigma, sigma_up


def ddim_step(x: Tensor, denoised: Tensor, sigma: float, sigma_next: float) -> Tensor:
    """The exact step for a constant estimate: what is noise shrinks with sigma."""
    return denoised + (x - denoised) * (sigma_next / sigma)


def sample_dpm_2(
    denoise: Denoise, x: Tensor, sigmas: list[float], generator: torch.Generator, edit: LatentEdit = keep_latent
) -> Tensor:
    """Second order by the slope in the middle of a step, middle in log sigma (Karras et al. 2022, appendix D, alpha 1/2)."""
    for sigma, sigma_next in pairwise(sigmas):
        x = _midpoint_step(denoise, x, sigma, sigma_next)
        if sigma_next:
            x = edit(x, sigma_next)
    return x


def sample_dpm_2_ancestral(
    denoise: Denoise, x: Tensor, sigmas: list[float], generator: torch.Generator, edit: LatentEdit = keep_latent
) -> Tensor:
    """``sample_dpm_2`` down to ``sigma_down``, then fresh noise."""
    for sigma, sigma_next in pairwise(sigmas):
        sigma_down, sigma_up = get_ancestral_step(sigma, sigma_next)
        x = _midpoint_step(denoise, x, sigma, sigma_down)
        if sigma_next:
            x = edit(x + sigma_up * sample_noise(x, generator), sigma_next)
    return x


def _midpoint_step(denoise: Denoise, x: Tensor, sigma: float, sigma_next: float) -> Tensor:
    denoised = denoise(x, sigma)
    if not sigma_next:
        return denoised
    sigma_mid = math.sqrt(sigma * sigma_next)
    x_mid = ddim_step(x, denoised, sigma, sigma_mid)
    slope = (x_mid - denoise(x_mid, sigma_mid)) / sigma_mid
    return x + slope * (sigma_next - sigma)


def sample_dpmpp_2s_ancestral(
    denoise: Denoise, x: Tensor, sigmas: list[float], generator: torch.Generator, edit: LatentEdit = keep_latent
) -> Tensor:
    """DPM-Solver++(2S), r = 1/2 (Lu et al. 2022b, algorithm 1), down to ``sigma_down``, then fresh noise."""
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        sigma_down, sigma_up = get_ancestral_step(sigma, sigma_next)
        if not sigma_next:
            return denoised
        sigma_mid = math.sqrt(sigma * sigma_down)
        denoised_mid = denoise(ddim_step(x, denoised, sigma, sigma_mid), sigma_mid)
        x = edit(ddim_step(x, denoised_mid, sigma, sigma_down) + sigma_up * sample_noise(x, generator), sigma_next)
    return x


def sample_dpmpp_sde(
    denoise: Denoise, x: Tensor, sigmas: list[float], generator: torch.Generator, edit: LatentEdit = keep_latent
) -> Tensor:
    """DPM-Solver++(2S) for the reverse SDE, r = 1/2: the middle is reached by an ancestral step, too.

    Both noises of a step are pieces of one Brownian path over sigma, from ``sigma`` to the middle and to the end.
    """
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        if not sigma_next:
            return denoised
        sigma_mid = math.sqrt(sigma * sigma_next)
        first, second = sample_noise(x, generator), sample_noise(x, generator)
        sigma_down, sigma_up = get_ancestral_step(sigma, sigma_mid)
        denoised_mid = denoise(ddim_step(x, denoised, sigma, sigma_down) + sigma_up * first, sigma_mid)
        sigma_down, sigma_up = get_ancestral_step(sigma, sigma_next)
        # Along a Brownian path variances add up, so the noise to the end is made of both pieces.
        share = (sigma - sigma_mid) / (sigma - sigma_next)
        noise = math.sqrt(share) * first + math.sqrt(1 - share) * second
        x = edit(ddim_step(x, denoised_mid, sigma, sigma_down) + sigma_up * noise, sigma_next)
    return x


def sample_dpmpp_3m_sde(
    denoise: Denoise, x: Tensor, sigmas: list[float], generator: torch.Generator, edit: LatentEdit = keep_latent
) -> Tensor:
    """DPM-Solver++(3M) for the reverse SDE: estimates of up to three steps make a parabola over lambda (Lu et al. 2022b).

    diffusers' third-order ``sde-dpmsolver++`` has another sign before the last 1/2, which makes it first order.
    """
    past: list[tuple[float, Tensor]] = []  # (lambda, estimate), newest first
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        if not sigma_next:
            return denoised
        lam = -math.log(sigma)
        h = -math.log(sigma_next) - lam
        decay = math.expm1(-2 * h)
        # The exact step for a constant estimate.  The SDE takes noise away twice as fast as the ODE: e^-2h instead of e^-h.
        x_next = (sigma_next / sigma) ** 2 * x - decay * denoised
        phi2 = decay / (2 * h) + 1
        if past:  # first derivative over lambda, from two estimates
            slope = (denoised - past[0][1]) * (h / (lam - past[0][0]))
            if len(past) == 2:  # second derivative, from three
                r0, r1 = (lam - past[0][0]) / h, (past[0][0] - past[1][0]) / h
                curve = (slope - (past[0][1] - past[1][1]) / r1) / (r0 + r1)
                slope = slope + r0 * curve
                x_next = x_next - (phi2 / (2 * h) - 0.5) * curve
            x_next = x_next + phi2 * slope
        # Fresh noise for what was taken away too much: the noise is at sigma' again.
        x = edit(x_next + sigma_next * math.sqrt(-decay) * sample_noise(x, generator), sigma_next)
        past = [(lam, denoised), *past[:1]]
    return x


def singlestep_orders(denoise: Denoise, x: Tensor, sigma: float, sigma_next: float, order: int) -> Iterator[Tensor]:
    """The latent at ``sigma_next`` by DPM-Solver-1, -2, .. up to ``order`` <= 3 (Lu et al. 2022a, appendix B).

    They share evaluations.  The second-order one takes its inner point at r1 = 1/2 when it is the last, and at 1/3 when a
    third order follows.
    """
    h = math.log(sigma / sigma_next)
    # DPM-Solver-1, which is DDIM: the noise stays the same over the whole step.
    noise = (x - denoise(x, sigma)) / sigma
    yield x - sigma_next * math.expm1(h) * noise
    if order == 1:
        return
    # DPM-Solver-2: the noise at an inner point gives its slope.
    r1 = 1 / 2 if order == 2 else 1 / 3
    sigma_1 = sigma * math.exp(-r1 * h)
    x_1 = x - sigma_1 * math.expm1(r1 * h) * noise
    difference_1 = (x_1 - denoise(x_1, sigma_1)) / sigma_1 - noise
    yield x - sigma_next * (math.expm1(h) * noise + math.expm1(h) / (2 * r1) * difference_1)
    if order == 2:
        return
    # DPM-Solver-3: a second inner point, reached with that slope, gives the slope over a longer stretch.
    r2 = 2 / 3
    sigma_2 = sigma * math.exp(-r2 * h)
    x_2 = x - sigma_2 * (math.expm1(r2 * h) * noise + r2 / r1 * (math.expm1(r2 * h) / (r2 * h) - 1) * difference_1)
    difference_2 = (x_2 - denoise(x_2, sigma_2)) / sigma_2 - noise
    yield x - sigma_next * (math.expm1(h) * noise + (math.expm1(h) / h - 1) / r2 * difference_2)


def sample_dpm_fast(
    denoise: Denoise, x: Tensor, sigma_max: float, sigma_min: float, evaluations: int, edit: LatentEdit = keep_latent
) -> Tensor:
    """DPM-Solver-fast (Lu et al. 2022a, section 3.4): evaluations spent on steps of third order, evenly in lambda.

    Ends at ``sigma_min``, not at 0.
    """
    thirds = evaluations // 3
    # A step of order n costs n evaluations: as many of order 3 as leave a lower one for the end.
    orders = [3] * (thirds - 1) + [2, 1] if evaluations % 3 == 0 else [3] * thirds + [evaluations % 3]
    sigmas = [sigma_max * (sigma_min / sigma_max) ** (i / len(orders)) for i in range(len(orders) + 1)]
    for (sigma, sigma_next), order in zip(pairwise(sigmas), orders, strict=True):
        *_, x = singlestep_orders(denoise, x, sigma, sigma_next, order)
        if sigma_next > sigma_min:
            x = edit(x, sigma_next)
    return x


def sample_dpm_adaptive(
    denoise: Denoise,
    x: Tensor,
    sigma_max: float,
    sigma_min: float,
    relative_tolerance: float = 0.05,
    edit: LatentEdit = keep_latent,
) -> Tensor:
    """DPM-Solver-23 with adaptive step width (Lu et al. 2022a, appendix C.4): steps as wide as the relative error allows.

    Ends at ``sigma_min``, not at 0.  Absolute tolerance 0.0078, first step 0.05 in lambda, safety 0.9.  As in the paper
    errors are measured on latents of variance 1, i.e. divided by sqrt(sigma^2 + 1).
    """
    sigma = sigma_max
    h, previous = 0.05, x / math.hypot(1, sigma)
    while sigma > sigma_min:
        sigma_next = sigma * math.exp(-h)
        # The last step ends at sigma_min exactly, and rounding leaves no sliver for one more.
        if sigma_next < sigma_min * (1 + 1e-5):
            sigma_next = sigma_min
        unit = math.hypot(1, sigma_next)
        _, lower, higher = (x_next / unit for x_next in singlestep_orders(denoise, x, sigma, sigma_next, 3))
        tolerance = torch.maximum(lower.abs(), previous.abs()).mul(relative_tolerance).clamp_min(0.0078)
        error = float(((higher - lower) / tolerance).square().mean().sqrt())
        if not math.isfinite(error):
            return higher * unit  # a smaller step does not fix a latent that is not finite
        if error <= 1:  # accept the step; otherwise it is tried again, narrower
            x, previous, sigma = higher * unit, lower, sigma_next
            if sigma > sigma_min:
                x = edit(x, sigma)
                previous = x / unit
        # The error of the lower order, 2, grows with h^3: hence the cube root.
        h *= 0.9 * max(error, 1e-6) ** (-1 / 3)
    return x
