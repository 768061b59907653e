"""The samplers of the published systems by the names that requests carry, and their titles (spec 15.3)."""

from enum import Enum

from backend.families.diffusion.noise_schedule import Schedule


class Sampler(str, Enum):
    """How the noise is taken away.

    k-diffusion's samplers (K_..) walk down a list of noise levels, diffusers' schedulers a list of whole time steps.
    """

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
