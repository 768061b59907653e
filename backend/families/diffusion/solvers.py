"""Samplers that diffusers has not got, or not for a given list of noise levels; from the formulas of their papers.

All work on a latent x = clean + sigma noise.  With lambda = -ln sigma and a step of width h in lambda, the exact solution for
a constant estimate D of the clean latent is x' = (sigma' / sigma) x - (e^-h - 1) D (Lu et al. 2022b, DPM-Solver++, eq. 8 with
alpha = 1).  An ancestral step goes down to ``sigma_down`` by that and adds fresh noise up to sigma' (Song et al. 2021, eq. 16
with eta = 1), all of it repeatable from the generator.
"""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

Clean = Callable[[Tensor, float], Tensor]
"""(x, sigma) -> estimate of the clean latent, same shape."""

Solver = Callable[[Clean, Tensor, list[float], torch.Generator], Tensor]
"""(estimate, x at the first level, falling levels ending in 0, CPU generator) -> x at level 0."""


def sample_noise(like: Tensor, generator: torch.Generator) -> Tensor:
    """Gaussian noise of the generator's own device, brought to where ``like`` is: the same on every machine."""
    return torch.randn(like.shape, generator=generator, dtype=torch.float32, device=generator.device).to(like)


def get_ancestral_step(sigma: float, after: float) -> tuple[float, float]:
    """(down, up): go down to ``down``, then add ``up`` of fresh noise to be at ``after``; eta 1."""
    up = after * math.sqrt(1 - (after / sigma) ** 2)
    return after**2 / sigma, up


def ddim_step(x: Tensor, clean: Tensor, sigma: float, after: float) -> Tensor:
    """The exact step for a constant estimate: what is noise shrinks with sigma."""
    return clean + (x - clean) * (after / sigma)


def dpm2(clean: Clean, x: Tensor, sigmas: list[float], generator: torch.Generator) -> Tensor:
    """Second order by the slope in the middle of a step, middle in log sigma (Karras et al. 2022, appendix D, alpha 1/2)."""
    for sigma, after in pairwise(sigmas):
        x = _by_midpoint(clean, x, sigma, after)
    return x


def dpm2_ancestral(clean: Clean, x: Tensor, sigmas: list[float], generator: torch.Generator) -> Tensor:
    """``dpm2`` down to ``sigma_down``, then fresh noise."""
    for sigma, after in pairwise(sigmas):
        down, up = get_ancestral_step(sigma, after)
        x = _by_midpoint(clean, x, sigma, down)
        if after:
            x = x + up * sample_noise(x, generator)
    return x


def _by_midpoint(clean: Clean, x: Tensor, sigma: float, after: float) -> Tensor:
    found = clean(x, sigma)
    if not after:
        return found
    middle = math.sqrt(sigma * after)
    halfway = clean(ddim_step(x, found, sigma, middle), middle)
    slope = (ddim_step(x, found, sigma, middle) - halfway) / middle
    return x + slope * (after - sigma)


def dpmpp_2s_ancestral(clean: Clean, x: Tensor, sigmas: list[float], generator: torch.Generator) -> Tensor:
    """DPM-Solver++(2S), r = 1/2 (Lu et al. 2022b, algorithm 1), down to ``sigma_down``, then fresh noise."""
    for sigma, after in pairwise(sigmas):
        found = clean(x, sigma)
        down, up = get_ancestral_step(sigma, after)
        if not after:
            return found
        middle = math.sqrt(sigma * down)
        x = ddim_step(x, clean(ddim_step(x, found, sigma, middle), middle), sigma, down) + up * sample_noise(x, generator)
    return x


def dpmpp_sde(clean: Clean, x: Tensor, sigmas: list[float], generator: torch.Generator) -> Tensor:
    """DPM-Solver++(2S) for the reverse SDE, r = 1/2: the middle is reached by an ancestral step, too.

    Both noises of a step are pieces of one Brownian path over sigma, from ``sigma`` to the middle and to the end.
    """
    for sigma, after in pairwise(sigmas):
        found = clean(x, sigma)
        if not after:
            return found
        middle = math.sqrt(sigma * after)
        first, second = sample_noise(x, generator), sample_noise(x, generator)
        down, up = get_ancestral_step(sigma, middle)
        halfway = clean(ddim_step(x, found, sigma, down) + up * first, middle)
        down, up = get_ancestral_step(sigma, after)
        share = (sigma - middle) / (sigma - after)
        x = ddim_step(x, halfway, sigma, down) + up * (math.sqrt(share) * first + math.sqrt(1 - share) * second)
    return x


def dpmpp_3m_sde(clean: Clean, x: Tensor, sigmas: list[float], generator: torch.Generator) -> Tensor:
    """DPM-Solver++(3M) for the reverse SDE: estimates of up to three steps make a parabola over lambda (Lu et al. 2022b).

    diffusers' third-order ``sde-dpmsolver++`` has another sign before the last 1/2, which makes it first order.
    """
    past: list[tuple[float, Tensor]] = []  # (lambda, estimate), newest first
    for sigma, after in pairwise(sigmas):
        found = clean(x, sigma)
        if not after:
            return found
        here = -math.log(sigma)
        h = -math.log(after) - here
        decay = math.expm1(-2 * h)
        moved = (after / sigma) ** 2 * x - decay * found
        phi2 = decay / (2 * h) + 1
        if past:
            slope = (found - past[0][1]) * (h / (here - past[0][0]))
            if len(past) == 2:
                r0, r1 = (here - past[0][0]) / h, (past[0][0] - past[1][0]) / h
                curve = (slope - (past[0][1] - past[1][1]) / r1) / (r0 + r1)
                slope = slope + r0 * curve
                moved = moved - (phi2 / (2 * h) - 0.5) * curve
            moved = moved + phi2 * slope
        x = moved + after * math.sqrt(-decay) * sample_noise(x, generator)
        past = [(here, found), *past[:1]]
    return x


def singlestep(clean: Clean, x: Tensor, sigma: float, after: float, order: int) -> Iterator[Tensor]:
    """DPM-Solver-1, -2, .. up to ``order`` <= 3 over one step (Lu et al. 2022a, appendix B), sharing their looks.

    The second-order one takes its inner point at r1 = 1/2 alone, and at 1/3 when a third order follows.
    """
    h = math.log(sigma / after)
    noise = (x - clean(x, sigma)) / sigma
    yield x - after * math.expm1(h) * noise
    if order == 1:
        return
    r1 = 1 / 2 if order == 2 else 1 / 3
    inner = sigma * math.exp(-r1 * h)
    at_inner = x - inner * math.expm1(r1 * h) * noise
    first = (at_inner - clean(at_inner, inner)) / inner - noise
    yield x - after * (math.expm1(h) * noise + math.expm1(h) / (2 * r1) * first)
    if order == 2:
        return
    r2 = 2 / 3
    outer = sigma * math.exp(-r2 * h)
    at_outer = x - outer * (math.expm1(r2 * h) * noise + r2 / r1 * (math.expm1(r2 * h) / (r2 * h) - 1) * first)
    second = (at_outer - clean(at_outer, outer)) / outer - noise
    yield x - after * (math.expm1(h) * noise + (math.expm1(h) / h - 1) / r2 * second)


def dpm_fast(clean: Clean, x: Tensor, sigmas: list[float], looks: int) -> Tensor:
    """DPM-Solver-fast (Lu et al. 2022a, section 3.4): ``looks`` looks, spent on steps of third order, evenly in lambda.

    ``sigmas``: first and last level; ends at the last one, not at 0.
    """
    orders = [3] * (looks // 3 - 1) + [2, 1] if looks % 3 == 0 else [3] * (looks // 3) + [looks % 3]
    high, low = sigmas
    levels = [high * (low / high) ** (number / len(orders)) for number in range(len(orders) + 1)]
    for (sigma, after), order in zip(pairwise(levels), orders, strict=True):
        *_, x = singlestep(clean, x, sigma, after, order)
    return x


def dpm_adaptive(clean: Clean, x: Tensor, sigmas: list[float], tolerance: float = 0.05) -> Tensor:
    """DPM-Solver-23 with adaptive step width (Lu et al. 2022a, appendix C.4): steps as wide as the relative error allows.

    ``sigmas``: first and last level; ends at the last one.  Absolute tolerance 0.0078, first step 0.05 in lambda, safety 0.9.
    As in the paper errors are measured on latents of variance 1, i.e. divided by sqrt(sigma^2 + 1).
    """
    sigma, last = sigmas
    width, before = 0.05, x / math.hypot(1, sigma)
    while sigma > last:
        after = sigma * math.exp(-width)
        if after < last * (1 + 1e-5):
            after = last
        unit = math.hypot(1, after)
        _, lower, higher = (found / unit for found in singlestep(clean, x, sigma, after, 3))
        allowed = torch.maximum(lower.abs(), before.abs()).mul(tolerance).clamp_min(0.0078)
        error = float(((higher - lower) / allowed).square().mean().sqrt())
        if not math.isfinite(error):
            return higher * unit  # no smaller step mends a latent that is not finite
        if error <= 1:
            x, before, sigma = higher * unit, lower, after
        width *= 0.9 * max(error, 1e-6) ** (-1 / 3)
    return x
