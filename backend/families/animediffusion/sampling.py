"""AnimeDiffusion's noise: the schedule, its three ways through it, and guidance (spec 3 and 5.2)."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from diffusers import DDIMScheduler
from torch import Tensor

TRAINING_STEPS = 1000
FIRST_BETA, LAST_BETA = 1e-6, 1e-2
PUBLISHED_STEPS, PUBLISHED_ETA = 10, 1.0
"""As published, in painting and in fine-tuning."""
REFERENCE_FILL, LINES_FILL = 0.0, 1.0
"""What a picture is filled with whose reference (gray) or lines (paper) the network shall not see."""

Denoiser = Callable[[Tensor, Tensor | None], Tensor]
"""(B, 3, H, W) noisy picture and times (B,) or None -> its noise."""
DrawNoise = Callable[[], Tensor]
"""Unit Gaussian noise of the picture's shape, new at every call."""
StepCallback = Callable[[int, int, Tensor], None]
"""Called after every step: its number from 1, steps in all, estimate of the clean picture.  Raising ends the sampling."""


def _scheduler() -> DDIMScheduler:
    """Linear betas, x0 clamped to -1..1, the last step ends at abar of time 0 and not at 1."""
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
    """The abar of the 1000 times, float32, falling from 0.999999 to 0.0066."""
    return _scheduler().alphas_cumprod


def _at_time(values: Tensor, time: Tensor) -> Tensor:
    """Values (1000,) at times (B,), as (B, 1, 1, 1)."""
    return values.to(time.device)[time][:, None, None, None]


def add_noise(clean: Tensor, noise: Tensor, time: Tensor) -> Tensor:
    """sqrt(abar) clean + sqrt(1 - abar) noise; pictures (B, 3, H, W), whole times (B,)."""
    kept = _at_time(alphas_cumprod(), time)
    return kept.sqrt() * clean + (1 - kept).sqrt() * noise


def predict_clean(noisy: Tensor, noise: Tensor, time: Tensor) -> Tensor:
    """The picture in -1..1 of which ``noisy`` would come by that noise."""
    kept = _at_time(alphas_cumprod(), time)
    return ((noisy - (1 - kept).sqrt() * noise) / kept.sqrt()).clamp(-1, 1)


def ddim_timesteps(steps: int) -> list[int]:
    """1 + i floor(1000 / steps), falling.  ValueError unless 1 <= steps < 1000: with 1000 the last would be no time."""
    if not 1 <= steps < TRAINING_STEPS:
        raise ValueError(f"{steps} steps: 1 to {TRAINING_STEPS - 1} are possible")
    return [1 + i * (TRAINING_STEPS // steps) for i in reversed(range(steps))]


def ddim_sample(look: Denoiser, noise: Tensor, steps: int, eta: float, draw: DrawNoise, on_step: StepCallback) -> Tensor:
    """The picture (B, 3, H, W) that ``steps`` steps of DDIM make of unit noise; new noise from ``draw`` where eta > 0.

    The noise the network saw is kept as it is when the estimate is clamped; the last step adds noise, too.  Differentiable.
    """
    times, scheduler = ddim_timesteps(steps), _scheduler()
    scheduler.set_timesteps(steps)
    x = noise
    for number, t in enumerate(times, 1):
        seen = look(x, torch.full((len(x),), t, device=x.device))
        more: dict[str, Any] = {"variance_noise": draw()} if eta > 0 else {}
        x, clean = scheduler.step(seen, t, x, eta=eta, return_dict=False, **more)
        on_step(number, steps, clean)
    return x


class PosteriorCoefficients(NamedTuple):
    """Of the picture a time before: variance, and weights of the clean and of the noisy picture in its mean; (1000,) each."""

    variance: Tensor
    clean_weight: Tensor
    noisy_weight: Tensor


@cache
def posterior_coefficients() -> PosteriorCoefficients:
    """In float32, as the published files hold it."""
    abar, beta = alphas_cumprod(), _scheduler().betas
    before = torch.cat([torch.ones_like(abar[:1]), abar[:-1]])
    return PosteriorCoefficients(
        beta * (1 - before) / (1 - abar),
        beta * before.sqrt() / (1 - abar),
        (1 - before) * (1 - beta).sqrt() / (1 - abar),
    )


def ddpm_step(noisy: Tensor, seen: Tensor, time: Tensor, fresh: Tensor, eta: float = 1.0) -> Tensor:
    """From times (B,) to the times before, by the usual posterior; ``fresh`` noise comes in but at time 0."""
    known, clean = posterior_coefficients(), predict_clean(noisy, seen, time)
    mean = _at_time(known.clean_weight, time) * clean + _at_time(known.noisy_weight, time) * noisy
    return mean + eta * _at_time(known.variance, time).sqrt() * fresh


def ddpm_sample(look: Denoiser, noise: Tensor, eta: float, draw: DrawNoise, on_step: StepCallback) -> Tensor:
    """The picture after all 1000 steps."""
    x = noise
    for number, t in enumerate(reversed(range(TRAINING_STEPS)), 1):
        time = torch.full((len(x),), t, device=x.device)
        seen = look(x, time)
        clean = predict_clean(x, seen, time)
        x = ddpm_step(x, seen, time, draw(), eta)
        on_step(number, TRAINING_STEPS, clean)
    return x


def ddim_invert(look: Denoiser, clean: Tensor, noise: Tensor, steps: int) -> Tensor:
    """The noisy picture at the first time of ``ddim_times`` to which deterministic steps lead from a clean one.

    noise: of the first move alone, to time 1.
    """
    times = ddim_timesteps(steps)[::-1]
    x = add_noise(clean, noise, torch.full((len(clean),), times[0], device=clean.device))
    for here, there in pairwise(times):
        now, then = (torch.full((len(x),), t, device=x.device) for t in (here, there))
        seen = look(x, now)
        x = add_noise(predict_clean(x, seen, now), seen, then)
    return x


def classifier_free_guidance(
    look: Callable[[Tensor, Tensor | None, Tensor], Tensor], references: Tensor, scale: float
) -> Denoiser:
    """Classifier-free guidance towards references (B, 3, H, W): unseen + (seen - unseen) scale; off at 1 or below.

    look: noisy pictures, times and references of as many rows.  What is seen and what is not go through the network together.
    """
    if scale <= 1:
        return lambda noisy, time: look(noisy, time, references)
    rows = torch.cat([references, torch.full_like(references, REFERENCE_FILL)])

    def denoise(noisy: Tensor, time: Tensor | None) -> Tensor:
        times = None if time is None else torch.cat([time, time])
        seen, unseen = look(torch.cat([noisy, noisy]), times, rows).chunk(2)
        return unseen + (seen - unseen) * scale

    return denoise
