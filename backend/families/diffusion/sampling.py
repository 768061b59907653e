"""One function for every sampler (spec 15.3): diffusers' schedulers, and the solvers that diffusers has not got."""

import math
from functools import partial
from typing import Any

import diffusers
import numpy as np
import torch
from torch import Tensor

from backend.families.diffusion import solvers
from backend.families.diffusion.denoiser import (
    DenoisedEstimator,
    Denoiser,
    LatentEdit,
    Prediction,
    StepCallback,
    keep_latent,
)
from backend.families.diffusion.noise_schedule import (
    BETA_END,
    BETA_START,
    TRAINING_STEPS,
    Levels,
    Schedule,
    get_sigmas,
    sigma_to_t,
    t_to_sigma,
    training_sigmas,
)
from backend.families.diffusion.samplers import Sampler

_TRAINING_CONFIG = {
    "num_train_timesteps": TRAINING_STEPS,
    "beta_start": BETA_START,
    "beta_end": BETA_END,
    "beta_schedule": "scaled_linear",
}
_SDE = {"algorithm_type": "sde-dpmsolver++", "final_sigmas_type": "zero"}

_TIMESTEP_SCHEDULERS: dict[Sampler, tuple[Any, dict[str, Any]]] = {
    Sampler.DDIM: (diffusers.DDIMScheduler, {"clip_sample": False}),
    Sampler.DPM: (diffusers.DPMSolverMultistepScheduler, {}),
    Sampler.PNDM: (diffusers.PNDMScheduler, {}),
    Sampler.LMS: (diffusers.LMSDiscreteScheduler, {}),
    Sampler.UNIPC: (diffusers.UniPCMultistepScheduler, {}),
}
"""diffusers' class for a list of whole time steps, and how it differs from the class's defaults."""
_SUPPORT_KARRAS = (Sampler.DPM, Sampler.LMS, Sampler.UNIPC)

_SIGMA_SCHEDULERS: dict[Sampler, tuple[Any, dict[str, Any]]] = {
    Sampler.K_DPMPP_2M: (diffusers.DPMSolverMultistepScheduler, {}),
    Sampler.K_DPMPP_2M_SDE: (diffusers.DPMSolverMultistepScheduler, _SDE),
    Sampler.K_DPMPP_2M_SDE_HEUN: (diffusers.DPMSolverMultistepScheduler, {**_SDE, "solver_type": "heun"}),
    Sampler.K_EULER: (diffusers.EulerDiscreteScheduler, {}),
    Sampler.K_EULER_A: (diffusers.EulerAncestralDiscreteScheduler, {}),
    Sampler.K_LMS: (diffusers.LMSDiscreteScheduler, {}),
    Sampler.K_HEUN: (diffusers.HeunDiscreteScheduler, {}),
}
"""diffusers' class where it computes the same as k-diffusion from a list of noise levels."""
_STOCHASTIC = (Sampler.K_EULER_A, Sampler.K_DPMPP_2M_SDE, Sampler.K_DPMPP_2M_SDE_HEUN)
"""Of these classes, those that take a generator."""

_SOLVERS: dict[Sampler, solvers.Solver] = {
    Sampler.K_DPMPP_SDE: solvers.sample_dpmpp_sde,
    Sampler.K_DPMPP_2S_A: solvers.sample_dpmpp_2s_ancestral,
    Sampler.K_DPMPP_3M_SDE: solvers.sample_dpmpp_3m_sde,
    Sampler.K_DPM2: solvers.sample_dpm_2,
    Sampler.K_DPM2_A: solvers.sample_dpm_2_ancestral,
}

_TWO_EVALUATIONS = (Sampler.K_HEUN, Sampler.K_DPMPP_SDE, Sampler.K_DPMPP_2S_A, Sampler.K_DPM2, Sampler.K_DPM2_A)
"""Evaluate the network twice in every step but the last."""

_AUTOMATIC_SCHEDULES = {
    **dict.fromkeys(
        (Sampler.K_DPMPP_2M, Sampler.K_DPMPP_SDE, Sampler.K_DPMPP_2S_A, Sampler.K_DPM2, Sampler.K_DPM2_A), Schedule.KARRAS
    ),
    **dict.fromkeys((Sampler.K_DPMPP_2M_SDE, Sampler.K_DPMPP_2M_SDE_HEUN, Sampler.K_DPMPP_3M_SDE), Schedule.EXPONENTIAL),
}
"""What the automatic schedule means; for the others it is uniform."""
_DISCARD_PENULTIMATE_SIGMA = (Sampler.K_DPMPP_3M_SDE, Sampler.K_DPM2, Sampler.K_DPM2_A)
"""One sigma more is made for these, and the smallest above 0 left out."""


def sampler_sigmas(sampler: Sampler, schedule: Schedule, steps: int) -> Levels:
    """The noise levels that one of k-diffusion's samplers walks down: (steps + 1,), falling, the last one 0.

    Raises ValueError for fewer than one step.
    """
    if schedule is Schedule.AUTOMATIC:
        schedule = _AUTOMATIC_SCHEDULES.get(sampler, Schedule.UNIFORM)
    if sampler in _DISCARD_PENULTIMATE_SIGMA:
        return np.delete(get_sigmas(schedule, steps + 1), -2)
    return get_sigmas(schedule, steps)


def sample(
    denoiser: Denoiser,
    noise: Tensor,
    sampler: Sampler,
    schedule: Schedule,
    steps: int,
    prediction: Prediction,
    generator: torch.Generator,
    on_step: StepCallback,
    edit: LatentEdit = keep_latent,
) -> Tensor:
    """The clean latent (B, 4, h, w) that the sampler makes of unit Gaussian ``noise`` of that shape.

    edit: changes the latent after every step but the last.

    generator: on the CPU; all noise that is added on the way comes from it.  ``on_step`` is called after every evaluation of
    the network and ends the sampling by raising.  Samplers of whole time steps take no schedule but Karras, and not all of
    them that; DPM fast and adaptive choose their own noise levels, and the adaptive one its own number of evaluations.
    Raises ValueError for fewer than one step.
    """
    if steps < 1:
        raise ValueError(f"{steps} steps: at least one is needed")
    if sampler in _TIMESTEP_SCHEDULERS:
        return _sample_timesteps(denoiser, noise, sampler, schedule, steps, prediction, on_step, edit)
    evaluations = 2 * steps - 1 if sampler in _TWO_EVALUATIONS else steps
    denoise = DenoisedEstimator(denoiser, prediction, steps, evaluations, on_step)
    if sampler in (Sampler.K_DPM_FAST, Sampler.K_DPM_ADAPTIVE):
        sigma_max, sigma_min = float(training_sigmas()[-1]), float(training_sigmas()[0])
        fast = partial(solvers.sample_dpm_fast, evaluations=steps)
        solve = fast if sampler is Sampler.K_DPM_FAST else solvers.sample_dpm_adaptive
        return solve(denoise, noise * sigma_max, sigma_max, sigma_min, edit=edit)
    sigmas = sampler_sigmas(sampler, schedule, steps)
    if sampler in _SOLVERS:
        return _SOLVERS[sampler](denoise, noise * float(sigmas[0]), sigmas.tolist(), generator, edit)
    return _sample_sigmas(denoise, noise, sampler, sigmas, prediction, generator, edit)


def _create_scheduler(entry: tuple[Any, dict[str, Any]], prediction: Prediction, **options: Any) -> Any:
    scheduler, config = entry
    name = "epsilon" if prediction == "eps" else "v_prediction"
    return scheduler(**_TRAINING_CONFIG, prediction_type=name, **config, **options)


def _sample_timesteps(
    denoiser: Denoiser,
    noise: Tensor,
    sampler: Sampler,
    schedule: Schedule,
    steps: int,
    prediction: Prediction,
    on_step: StepCallback,
    edit: LatentEdit,
) -> Tensor:
    options = {"use_karras_sigmas": True} if schedule is Schedule.KARRAS and sampler in _SUPPORT_KARRAS else {}
    if sampler is Sampler.PNDM and steps < 4:
        options["skip_prk_steps"] = True  # its Runge-Kutta warm-up takes four
    # Time steps as Stable Diffusion's own programs space them: 1, 51, 101 and so on for 20 steps.
    scheduler = _create_scheduler(
        _TIMESTEP_SCHEDULERS[sampler], prediction, timestep_spacing="leading", steps_offset=1, **options
    )
    scheduler.set_timesteps(steps)
    denoise = DenoisedEstimator(denoiser, prediction, steps, len(scheduler.timesteps), on_step)
    x = noise * float(scheduler.init_noise_sigma)
    # What is left after each step but the last.  Schedulers that round their time steps have levels of their own.
    own_levels = getattr(scheduler, "sigmas", None)
    levels = [float(t_to_sigma(float(t))) for t in scheduler.timesteps] if own_levels is None else own_levels.tolist()
    for t, after in zip(scheduler.timesteps, [*levels[1 : len(scheduler.timesteps)], None], strict=True):
        output = denoise.output(scheduler.scale_model_input(x, t), float(t), float(t_to_sigma(float(t))))
        x = scheduler.step(output, t, x).prev_sample
        if after is not None:
            x = _edit_latent(edit, x, after, unit_variance=sampler is not Sampler.LMS)
    return x


def _edit_latent(edit: LatentEdit, x: Tensor, sigma: float, unit_variance: bool) -> Tensor:
    """Edit a latent that may be scaled to variance 1."""
    scale = math.hypot(1, sigma) if unit_variance else 1.0
    return x if edit is keep_latent else edit(x * scale, sigma) / scale


def _sample_sigmas(
    denoise: DenoisedEstimator,
    noise: Tensor,
    sampler: Sampler,
    sigmas: Levels,
    prediction: Prediction,
    generator: torch.Generator,
    edit: LatentEdit,
) -> Tensor:
    """Through a scheduler whose own noise levels are replaced: ``set_timesteps`` of most classes takes no list."""
    scheduler = _create_scheduler(_SIGMA_SCHEDULERS[sampler], prediction)
    scheduler.set_timesteps(len(sigmas) - 1)
    # Heun's scheduler meets every level twice, but for the first and the last.
    scheduler_sigmas = np.repeat(sigmas, 2)[1:-1] if sampler is Sampler.K_HEUN else sigmas
    evaluated = scheduler_sigmas[:-1]
    scheduler.sigmas = torch.from_numpy(scheduler_sigmas).float()
    scheduler.timesteps = torch.from_numpy(sigma_to_t(evaluated)).float()
    scheduler.set_begin_index(0)
    # DPM-Solver's scheduler works on latents of variance 1, the others on clean + sigma noise.
    unit_variance = isinstance(scheduler, diffusers.DPMSolverMultistepScheduler)
    x = noise * float(sigmas[0]) / (math.hypot(1, sigmas[0]) if unit_variance else 1)
    options = {"generator": generator} if sampler in _STOCHASTIC else {}
    for t, sigma, after in zip(scheduler.timesteps, evaluated.tolist(), scheduler_sigmas[1:].tolist(), strict=True):
        output = denoise.output(scheduler.scale_model_input(x, t), float(t), sigma)
        x = scheduler.step(output, t, x, **options).prev_sample
        if after:
            x = _edit_latent(edit, x, after, unit_variance)
    return x
