"""AnimeDiffusion's noise schedule, its samplers DDIM and DDPM, DDIM inversion, and guidance (spec 3 and 5.2)."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from diffusers import DDIMScheduler
from torch import Tensor

TRAINING_STEPS = 1000
"""Times of the noise schedule, 0 to 999."""
FIRST_BETA, LAST_BETA = 1e-6, 1e-2
"""Of the linear schedule."""
PUBLISHED_STEPS, PUBLISHED_ETA = 10, 1.0
"""Of DDIM, as published, in inference and in fine-tuning."""
REFERENCE_FILL, LINES_FILL = 0.0, 1.0
"""What fills the reference (gray) or the lines (paper) where the network must not see them."""

Denoiser = Callable[[Tensor, Tensor | None], Tensor]
"""Noisy images (B, 3, H, W) and times (B,) or None -> their noise."""
DrawNoise = Callable[[], Tensor]
"""Unit Gaussian noise of the image's shape, new at every call."""
StepCallback = Callable[[int, int, Tensor], None]
"""Called after every step: its number from 1, the number of steps, the estimated clean image.  An error ends the sampling."""


def _scheduler() -> DDIMScheduler:
    """Linear betas; the clean image is clamped to -1..1; the last step ends at the alphas_cumprod of time 0, not at 1."""
    return DDIMScheduler(
        num_train_timesteps=TRAINING_STEPS,
        beta_start=FIRST_BETA,
        beta_end=LAST_BETA,
        beta_schedule="linear",
        clip_sample=True,
        clip_sample_range=1.0,
        set_alpha_to_one=False,
        steps_offset=1,
        timestep_spacing="leading",
        prediction_type="epsilon",
    )


@cache
def alphas_cumprod() -> Tensor:
    """Abar, the cumulative product of 1 - beta, at the 1000 times: float32, falling from 0.999999 to 0.0066."""
    return _scheduler().alphas_cumprod


def _at_time(values: Tensor, time: Tensor) -> Tensor:
    """Values (1000,) at times (B,), as (B, 1, 1, 1)."""
    return values.to(time.device)[time][:, None, None, None]


def add_noise(clean: Tensor, noise: Tensor, time: Tensor) -> Tensor:
    """sqrt(abar) clean + sqrt(1 - abar) noise; images (B, 3, H, W), integer times (B,)."""
    abar = _at_time(alphas_cumprod(), time)
    return abar.sqrt() * clean + (1 - abar).sqrt() * noise


def predict_clean(noisy: Tensor, noise: Tensor, time: Tensor) -> Tensor:
    """The image, clamped to -1..1, that becomes ``noisy`` by that noise: ``add_noise`` solved for ``clean``."""
    abar = _at_time(alphas_cumprod(), time)
    return ((noisy - (1 - abar).sqrt() * noise) / abar.sqrt()).clamp(-1, 1)


def ddim_timesteps(steps: int) -> list[int]:
    """1 + i floor(1000 / steps), falling.  ValueError unless 1 <= steps < 1000: 1000 steps would need a time 1000."""
    if not 1 <= steps < TRAINING_STEPS:
        raise ValueError(f"{steps} steps: 1 to {TRAINING_STEPS - 1} are possible")
    return [1 + i * (TRAINING_STEPS // steps) for i in reversed(range(steps))]


def ddim_sample(denoise: Denoiser, noise: Tensor, steps: int, eta: float, draw: DrawNoise, on_step: StepCallback) -> Tensor:
    """The image (B, 3, H, W) that ``steps`` steps of DDIM make of unit noise; with fresh noise from ``draw`` where eta > 0.

    The predicted noise is not changed when the clean estimate is clamped; the last step adds noise, too.  Differentiable.
    """
    times, scheduler = ddim_timesteps(steps), _scheduler()
    scheduler.set_timesteps(steps)
    x = noise
    for number, t in enumerate(times, 1):
        predicted = denoise(x, torch.full((len(x),), t, device=x.device))
        # The scheduler would draw noise of its own, which the seed does not determine.
        fresh: dict[str, Any] = {"variance_noise": draw()} if eta > 0 else {}
        x, clean = scheduler.step(predicted, t, x, eta=eta, return_dict=False, **fresh)
        on_step(number, steps, clean)
    return x


class PosteriorCoefficients(NamedTuple):
    """Of the posterior of the image one time earlier, given the clean and the noisy image; (1000,) each."""

    variance: Tensor
    """Of the posterior."""
    clean_weight: Tensor
    """Of the clean image in the posterior's mean."""
    noisy_weight: Tensor
    """Of the noisy image in the posterior's mean."""


@cache
def posterior_coefficients() -> PosteriorCoefficients:
    """In float32, as the published files hold them."""
    abar, beta = alphas_cumprod(), _scheduler().betas
    # Before time 0 the image is clean: abar is 1.
    earlier = torch.cat([torch.ones_like(abar[:1]), abar[:-1]])
    return PosteriorCoefficients(
        beta * (1 - earlier) / (1 - abar),
        beta * earlier.sqrt() / (1 - abar),
        (1 - earlier) * (1 - beta).sqrt() / (1 - abar),
    )


def ddpm_step(noisy: Tensor, predicted: Tensor, time: Tensor, fresh: Tensor, eta: float = 1.0) -> Tensor:
    """One step of DDPM, from times (B,) to the times before.

    predicted: the noise in ``noisy``.  fresh: new noise; it has no effect at time 0, where the posterior's variance is 0.
    """
    coefficients, clean = posterior_coefficients(), predict_clean(noisy, predicted, time)
    mean = _at_time(coefficients.clean_weight, time) * clean + _at_time(coefficients.noisy_weight, time) * noisy
    return mean + eta * _at_time(coefficients.variance, time).sqrt() * fresh


def ddpm_sample(denoise: Denoiser, noise: Tensor, eta: float, draw: DrawNoise, on_step: StepCallback) -> Tensor:
    """The image (B, 3, H, W) that all 1000 steps of DDPM make of unit noise."""
    x = noise
    for number, t in enumerate(reversed(range(TRAINING_STEPS)), 1):
        time = torch.full((len(x),), t, device=x.device)
        predicted = denoise(x, time)
        clean = predict_clean(x, predicted, time)
        x = ddpm_step(x, predicted, time, draw(), eta)
        on_step(number, TRAINING_STEPS, clean)
    return x


def ddim_invert(denoise: Denoiser, clean: Tensor, noise: Tensor, steps: int) -> Tensor:
    """The noisy image, at the first of ``ddim_timesteps``, that deterministic DDIM steps lead to from a clean image.

    noise: what the first move adds, from the clean image to time 1; the other moves add the noise that the network predicts.
    """
    times = ddim_timesteps(steps)[::-1]
    x = add_noise(clean, noise, torch.full((len(clean),), times[0], device=clean.device))
    for here, there in pairwise(times):
        now, later = (torch.full((len(x),), t, device=x.device) for t in (here, there))
        predicted = denoise(x, now)
        x = add_noise(predict_clean(x, predicted, now), predicted, later)
    return x


def classifier_free_guidance(
    predict_noise: Callable[[Tensor, Tensor | None, Tensor], Tensor], references: Tensor, scale: float
) -> Denoiser:
    """Classifier-free guidance towards references (B, 3, H, W): without + (with - without) scale; off at 1 or below.

    predict_noise: from noisy images, times and references of as many rows.  Both branches go through the network in one batch.
    """
    if scale <= 1:
        return lambda noisy, time: predict_noise(noisy, time, references)
    both_branches = torch.cat([references, torch.full_like(references, REFERENCE_FILL)])

    def denoise(noisy: Tensor, time: Tensor | None) -> Tensor:
        times = None if time is None else torch.cat([time, time])
        conditional, unconditional = predict_noise(torch.cat([noisy, noisy]), times, both_branches).chunk(2)
        return unconditional + (conditional - unconditional) * scale

    return denoise
