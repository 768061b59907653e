"""Every sampler of the published system, behind one function (spec 15.3)."""

import math
from enum import Enum
from functools import partial
from typing import Any

import diffusers
import numpy as np
import torch
from torch import Tensor

from backend.families.diffusion import solvers
from backend.families.diffusion.denoiser import DenoisedEstimator, Denoiser, OnStep, Prediction
from backend.families.diffusion.noise_schedule import (
    FIRST_BETA,
    LAST_BETA,
    TRAINING_STEPS,
    Levels,
    Schedule,
    get_sigmas,
    sigma_to_t,
    t_to_sigma,
    training_sigmas,
)


class Sampler(str, Enum):
    """How the noise is taken away.  Names beginning with k walk down a list of noise levels, the others whole times."""

    DDIM = "ddim"
    DPM = "dpm"
    PNDM = "pndm"
    LMS = "lms"
    UNIPC = "unipc"
    K_DPMPP_2M = "k_dpmpp_2m"
    K_DPMPP_SDE = "k_dpmpp_sde"
    K_DPMPP_2M_SDE = "k_dpmpp_2m_sde"
    K_DPMPP_2M_SDE_HEUN = "k_dpmpp_2m_sde_heun"
    K_DPMPP_2S_A = "k_dpmpp_2s_a"
    K_DPMPP_3M_SDE = "k_dpmpp_3m_sde"
    K_EULER = "k_euler"
    K_EULER_A = "k_euler_a"
    K_LMS = "k_lms"
    K_HEUN = "k_heun"
    K_DPM2 = "k_dpm2"
    K_DPM2_A = "k_dpm2_a"
    K_DPM_FAST = "k_dpm_fast"
    K_DPM_ADAPTIVE = "k_dpm_adaptive"


SAMPLERS: tuple[tuple[str, str], ...] = (
    (Sampler.DPM.value, "DPM-Solver++"),
    (Sampler.DDIM.value, "DDIM"),
    (Sampler.UNIPC.value, "UniPC"),
    (Sampler.PNDM.value, "PNDM"),
    (Sampler.LMS.value, "LMS"),
    (Sampler.K_DPMPP_2M.value, "DPM++ 2M (k)"),
    (Sampler.K_DPMPP_SDE.value, "DPM++ SDE (k)"),
    (Sampler.K_DPMPP_2M_SDE.value, "DPM++ 2M SDE (k)"),
    (Sampler.K_DPMPP_2M_SDE_HEUN.value, "DPM++ 2M SDE Heun (k)"),
    (Sampler.K_DPMPP_2S_A.value, "DPM++ 2S a (k)"),
    (Sampler.K_DPMPP_3M_SDE.value, "DPM++ 3M SDE (k)"),
    (Sampler.K_EULER.value, "Euler (k)"),
    (Sampler.K_EULER_A.value, "Euler a (k)"),
    (Sampler.K_LMS.value, "LMS (k)"),
    (Sampler.K_HEUN.value, "Heun (k)"),
    (Sampler.K_DPM2.value, "DPM2 (k)"),
    (Sampler.K_DPM2_A.value, "DPM2 a (k)"),
    (Sampler.K_DPM_FAST.value, "DPM fast (k)"),
    (Sampler.K_DPM_ADAPTIVE.value, "DPM adaptive (k)"),
)
"""(value, title) of every sampler, the published default first."""
SCHEDULES: tuple[tuple[str, str], ...] = (
    (Schedule.AUTOMATIC.value, "Automatic"),
    (Schedule.UNIFORM.value, "Uniform"),
    (Schedule.KARRAS.value, "Karras"),
    (Schedule.EXPONENTIAL.value, "Exponential"),
    (Schedule.POLYEXPONENTIAL.value, "Polyexponential"),
    (Schedule.SGM_UNIFORM.value, "SGM Uniform"),
)
"""(value, title) of every schedule."""

_TRAINED = {
    "num_train_timesteps": TRAINING_STEPS,
    "beta_start": FIRST_BETA,
    "beta_end": LAST_BETA,
    "beta_schedule": "scaled_linear",
}
_SDE = {"algorithm_type": "sde-dpmsolver++", "final_sigmas_type": "zero"}

_BY_TIMES: dict[Sampler, tuple[Any, dict[str, Any]]] = {
    Sampler.DDIM: (diffusers.DDIMScheduler, {"clip_sample": False}),
    Sampler.DPM: (diffusers.DPMSolverMultistepScheduler, {}),
    Sampler.PNDM: (diffusers.PNDMScheduler, {}),
    Sampler.LMS: (diffusers.LMSDiscreteScheduler, {}),
    Sampler.UNIPC: (diffusers.UniPCMultistepScheduler, {}),
}
"""Diffusers' class and settings for whole times; the rest as the class has it."""

_KNOW_KARRAS = (Sampler.DPM, Sampler.LMS, Sampler.UNIPC)

_BY_LEVELS: dict[Sampler, tuple[Any, dict[str, Any]]] = {
    Sampler.K_DPMPP_2M: (diffusers.DPMSolverMultistepScheduler, {}),
    Sampler.K_DPMPP_2M_SDE: (diffusers.DPMSolverMultistepScheduler, _SDE),
    Sampler.K_DPMPP_2M_SDE_HEUN: (diffusers.DPMSolverMultistepScheduler, {**_SDE, "solver_type": "heun"}),
    Sampler.K_EULER: (diffusers.EulerDiscreteScheduler, {}),
    Sampler.K_EULER_A: (diffusers.EulerAncestralDiscreteScheduler, {}),
    Sampler.K_LMS: (diffusers.LMSDiscreteScheduler, {}),
    Sampler.K_HEUN: (diffusers.HeunDiscreteScheduler, {}),
}
"""Where diffusers computes the same from a list of levels."""

_OWN: dict[Sampler, solvers.Solver] = {
    Sampler.K_DPMPP_SDE: solvers.dpmpp_sde,
    Sampler.K_DPMPP_2S_A: solvers.dpmpp_2s_ancestral,
    Sampler.K_DPMPP_3M_SDE: solvers.dpmpp_3m_sde,
    Sampler.K_DPM2: solvers.dpm2,
    Sampler.K_DPM2_A: solvers.dpm2_ancestral,
}

_NOISY = (Sampler.K_EULER_A, Sampler.K_DPMPP_2M_SDE, Sampler.K_DPMPP_2M_SDE_HEUN)
_TWICE = (Sampler.K_HEUN, Sampler.K_DPMPP_SDE, Sampler.K_DPMPP_2S_A, Sampler.K_DPM2, Sampler.K_DPM2_A)
"""Look twice a step, but for the last one."""

_AUTOMATIC = {
    **dict.fromkeys(
        (Sampler.K_DPMPP_2M, Sampler.K_DPMPP_SDE, Sampler.K_DPMPP_2S_A, Sampler.K_DPM2, Sampler.K_DPM2_A), Schedule.KARRAS
    ),
    **dict.fromkeys((Sampler.K_DPMPP_2M_SDE, Sampler.K_DPMPP_2M_SDE_HEUN, Sampler.K_DPMPP_3M_SDE), Schedule.EXPONENTIAL),
}
"""What the automatic schedule means; for the others it is uniform."""
_WITHOUT_SMALLEST = (Sampler.K_DPMPP_3M_SDE, Sampler.K_DPM2, Sampler.K_DPM2_A)
"""One level more is made for these, and the smallest left out."""


def levels(sampler: Sampler, schedule: Schedule, steps: int) -> Levels:
    """The list of noise levels that a sampler of the k kind walks down: (steps + 1,), falling, the last one 0.

    Raises ValueError for fewer than one step.
    """
    chosen = _AUTOMATIC.get(sampler, Schedule.UNIFORM) if schedule is Schedule.AUTOMATIC else schedule
    if sampler in _WITHOUT_SMALLEST:
        return np.delete(get_sigmas(chosen, steps + 1), -2)
    return get_sigmas(chosen, steps)


def sample(
    denoiser: Denoiser,
    noise: Tensor,
    sampler: Sampler,
    schedule: Schedule,
    steps: int,
    prediction: Prediction,
    generator: torch.Generator,
    on_step: OnStep,
) -> Tensor:
    """The clean latent (B, 4, h, w) that the sampler makes of unit Gaussian ``noise`` of that shape.

    generator: on the CPU; all noise that is added on the way comes from it.  ``on_step`` is called after every look of the
    network and ends the sampling by raising.  Samplers that look at whole times know no schedule but Karras, and not all of
    them that; DPM fast and adaptive choose their own levels, and the adaptive one its own number of looks.  Raises ValueError
    for fewer than one step.
    """
    if steps < 1:
        raise ValueError(f"{steps} steps: at least one is needed")
    if sampler in _BY_TIMES:
        return _by_times(denoiser, noise, sampler, schedule, steps, prediction, on_step)
    looks = 2 * steps - 1 if sampler in _TWICE else steps
    looking = DenoisedEstimator(denoiser, prediction, steps, looks, on_step)
    if sampler in (Sampler.K_DPM_FAST, Sampler.K_DPM_ADAPTIVE):
        ends = [float(training_sigmas()[-1]), float(training_sigmas()[0])]
        solve = partial(solvers.dpm_fast, looks=steps) if sampler is Sampler.K_DPM_FAST else solvers.dpm_adaptive
        return solve(looking, noise * ends[0], ends)
    sigmas = levels(sampler, schedule, steps)
    if sampler in _OWN:
        return _OWN[sampler](looking, noise * float(sigmas[0]), sigmas.tolist(), generator)
    return _by_levels(looking, noise, sampler, sigmas, prediction, generator)


def _diffusers(entry: tuple[Any, dict[str, Any]], prediction: Prediction, **more: Any) -> Any:
    kind, settings = entry
    return kind(**_TRAINED, prediction_type="epsilon" if prediction == "eps" else "v_prediction", **settings, **more)


def _by_times(
    denoiser: Denoiser, noise: Tensor, sampler: Sampler, schedule: Schedule, steps: int, prediction: Prediction, on_step: OnStep
) -> Tensor:
    more = {"use_karras_sigmas": True} if schedule is Schedule.KARRAS and sampler in _KNOW_KARRAS else {}
    if sampler is Sampler.PNDM and steps < 4:
        more["skip_prk_steps"] = True  # its Runge-Kutta warm-up takes four
    scheduler = _diffusers(_BY_TIMES[sampler], prediction, timestep_spacing="leading", steps_offset=1, **more)
    scheduler.set_timesteps(steps)
    looking = DenoisedEstimator(denoiser, prediction, steps, len(scheduler.timesteps), on_step)
    x = noise * float(scheduler.init_noise_sigma)
    for t in scheduler.timesteps:
        output = looking.output(scheduler.scale_model_input(x, t), float(t), float(t_to_sigma(float(t))))
        x = scheduler.step(output, t, x).prev_sample
    return x


def _by_levels(
    looking: DenoisedEstimator,
    noise: Tensor,
    sampler: Sampler,
    sigmas: Levels,
    prediction: Prediction,
    generator: torch.Generator,
) -> Tensor:
    """Through a diffusers scheduler whose own levels are replaced: ``set_timesteps`` of most classes takes no list."""
    scheduler = _diffusers(_BY_LEVELS[sampler], prediction)
    scheduler.set_timesteps(len(sigmas) - 1)
    twice = np.repeat(sigmas, 2)[1:-1] if sampler is Sampler.K_HEUN else sigmas
    seen = twice[:-1]
    scheduler.sigmas = torch.from_numpy(twice).float()
    scheduler.timesteps = torch.from_numpy(sigma_to_t(seen)).float()
    scheduler.set_begin_index(0)
    scaled_by_sigma = not isinstance(scheduler, diffusers.DPMSolverMultistepScheduler)
    x = noise * float(sigmas[0]) / (1 if scaled_by_sigma else math.hypot(1, sigmas[0]))
    more = {"generator": generator} if sampler in _NOISY else {}
    for t, sigma in zip(scheduler.timesteps, seen.tolist(), strict=True):
        output = looking.output(scheduler.scale_model_input(x, t), float(t), sigma)
        x = scheduler.step(output, t, x, **more).prev_sample
    return x
