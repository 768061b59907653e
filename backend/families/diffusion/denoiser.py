"""One evaluation of the network on a noisy latent, and the clean latent that it estimates (spec 15.3)."""

from collections.abc import Callable
from typing import Literal

from torch import Tensor

from backend.families.diffusion.noise_schedule import sigma_to_t

Prediction = Literal["eps", "v"]
"""What the network's output is: the noise, or v = sqrt(abar) noise - sqrt(1 - abar) clean."""

Denoiser = Callable[[Tensor, float], Tensor]
"""(latent (B, 4, h, w) scaled to variance 1, time step 0..999, perhaps fractional) -> the network's output, guided."""

StepCallback = Callable[[int, int, Tensor], None]
"""Called after every evaluation: its step (from 1), number of steps, estimate of the clean latent (B, 4, h, w).

A sampler that evaluates the network twice in a step reports the step twice.  Whatever the callback raises ends the sampling."""

LatentEdit = Callable[[Tensor, float], Tensor]
"""(latent x = clean + sigma noise after a step, its sigma > 0) -> the latent that the next step starts from."""


def keep_latent(x: Tensor, sigma: float) -> Tensor:
    """A ``LatentEdit`` that changes nothing."""
    return x


def estimate_clean(latent: Tensor, output: Tensor, sigma: float, prediction: Prediction) -> Tensor:
    """The clean latent that an output stands for; ``latent`` is what the network saw, i.e. scaled to variance 1."""
    alpha = (sigma**2 + 1) ** -0.5
    if prediction == "v":
        return alpha * latent - sigma * alpha * output
    return latent / alpha - sigma * output


class DenoisedEstimator:
    """The network as k-diffusion's solvers use it: a function of a latent x = clean + sigma noise, and of sigma.

    Reports every evaluation.  ``evaluations`` is how many there will be, from which the number of the step follows.
    """

    def __init__(self, denoiser: Denoiser, prediction: Prediction, steps: int, evaluations: int, on_step: StepCallback) -> None:
        self._denoiser, self._on_step = denoiser, on_step
        self._prediction: Prediction = prediction
        self._steps, self._evaluations, self._done = steps, evaluations, 0

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        """Estimate of the clean latent, (B, 4, h, w)."""
        scaled = x * (sigma**2 + 1) ** -0.5
        output = self._denoiser(scaled, float(sigma_to_t(sigma))).to(scaled.dtype)
        denoised = estimate_clean(scaled, output, sigma, self._prediction)
        self._report(denoised)
        return denoised

    def output(self, scaled: Tensor, t: float, sigma: float) -> Tensor:
        """The bare output for a latent that is scaled to variance 1 already, at time step ``t``, whose noise is ``sigma``."""
        output = self._denoiser(scaled, t).to(scaled.dtype)
        self._report(estimate_clean(scaled, output, sigma, self._prediction))
        return output

    def _report(self, denoised: Tensor) -> None:
        # Adaptive solvers may evaluate more often than planned: they stay at the last step.
        step = 1 + min(self._done, self._evaluations - 1) * self._steps // self._evaluations
        self._done += 1
        self._on_step(step, self._steps, denoised)
