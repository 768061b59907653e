"""Noise levels: the training schedule, and the lists of levels that samplers walk down (spec sections 2 and 15.3).

A noise level is written as sigma = sqrt((1 - abar) / abar), the noise in a latent whose clean part has weight 1, or as the
time step t (0..999, fractions allowed) at which training meets it.  Between whole time steps log sigma is linear in t.
"""

from enum import Enum
from functools import cache

import numpy as np
import numpy.typing as npt

TRAINING_STEPS = 1000
BETA_START, BETA_END = 0.00085, 0.012

Levels = npt.NDArray[np.float64]


class Schedule(str, Enum):
    """How the steps are spread over the noise levels."""

    AUTOMATIC = "automatic"
    UNIFORM = "uniform"
    KARRAS = "karras"
    EXPONENTIAL = "exponential"
    POLYEXPONENTIAL = "polyexponential"
    SGM_UNIFORM = "sgm_uniform"


@cache
def alphas_cumprod() -> Levels:
    """The abar of the 1000 training time steps, falling; read-only."""
    # Stable Diffusion's schedule: linear in the square root of beta.
    betas = np.linspace(BETA_START**0.5, BETA_END**0.5, TRAINING_STEPS) ** 2
    alphas = np.cumprod(1.0 - betas)
    alphas.flags.writeable = False
    return alphas


@cache
def training_sigmas() -> Levels:
    """The sigma of the 1000 training time steps, rising from 0.029 to 14.6; read-only."""
    alphas = alphas_cumprod()
    sigmas = np.sqrt((1.0 - alphas) / alphas)
    sigmas.flags.writeable = False
    return sigmas


def t_to_sigma(t: float | Levels) -> Levels:
    """The sigma at time steps t, which are clipped to 0..999."""
    return np.exp(np.interp(t, np.arange(TRAINING_STEPS), np.log(training_sigmas())))


def sigma_to_t(sigma: float | Levels) -> Levels:
    """The time steps at which training meets sigma > 0; 0 or 999 outside its range."""
    return np.interp(np.log(sigma), np.log(training_sigmas()), np.arange(TRAINING_STEPS))


def get_sigmas(schedule: Schedule, steps: int) -> Levels:
    """(steps + 1,) falling sigmas, the last one 0.

    Karras with rho 7: Karras et al. 2022, eq. 5.  Raises ValueError for fewer than one step, and for ``AUTOMATIC``, whose
    meaning depends on the sampler.
    """
    if steps < 1:
        raise ValueError(f"{steps} steps: at least one is needed")
    low, high = training_sigmas()[[0, -1]]
    match schedule:
        case Schedule.UNIFORM:
            sigmas = t_to_sigma(np.linspace(TRAINING_STEPS - 1, 0, steps))
        case Schedule.SGM_UNIFORM:
            sigmas = t_to_sigma(np.linspace(TRAINING_STEPS - 1, 0, steps + 1)[:-1])
        case Schedule.KARRAS:
            sigmas = np.linspace(high ** (1 / 7), low ** (1 / 7), steps) ** 7
        case Schedule.EXPONENTIAL | Schedule.POLYEXPONENTIAL:  # the published exponent of the latter is 1
            sigmas = np.geomspace(high, low, steps)
        case Schedule.AUTOMATIC:
            raise ValueError("automatic is resolved by the sampler")
    return np.append(sigmas, 0.0)
