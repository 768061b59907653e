"""One look of the network at a noisy latent, and what it says about the clean one (spec 15.3)."""

from collections.abc import Callable
from typing import Literal

from torch import Tensor

from backend.families.diffusion.noise_schedule import sigma_to_t

Prediction = Literal["eps", "v"]
"""What the network's output is: the noise, or v = sqrt(abar) noise - sqrt(1 - abar) clean."""

Denoiser = Callable[[Tensor, float], Tensor]
"""(B, 4, h, w) latent of variance 1 in all, and time 0..999, perhaps fractional -> the network's output, already guided."""

OnStep = Callable[[int, int, Tensor], None]
"""Called after every look: number of the step it belongs to (from 1), steps in all, estimate of the clean latent (B, 4, h, w).

A sampler that looks twice a step reports a step twice.  Whatever it raises ends the sampling."""


def clean_estimate(latent: Tensor, output: Tensor, sigma: float, prediction: Prediction) -> Tensor:
    """The clean latent that an output stands for; ``latent`` as the network saw it, i.e. with variance 1 in all."""
    keep = (sigma**2 + 1) ** -0.5
    if prediction == "v":
        return keep * latent - sigma * keep * output
    return latent / keep - sigma * output


class DenoisedEstimator:
    """The network as a function of a latent with noise ``sigma`` beside a clean part of weight 1; reports every look."""

    def __init__(self, denoiser: Denoiser, prediction: Prediction, steps: int, looks: int, on_step: OnStep) -> None:
        self._denoiser, self._on_step = denoiser, on_step
        self._prediction: Prediction = prediction
        self._steps, self._looks, self._done = steps, looks, 0

    def __call__(self, latent: Tensor, sigma: float) -> Tensor:
        """Estimate of the clean latent, (B, 4, h, w)."""
        scaled = latent * (sigma**2 + 1) ** -0.5
        output = self._denoiser(scaled, float(sigma_to_t(sigma))).to(scaled.dtype)
        clean = clean_estimate(scaled, output, sigma, self._prediction)
        self.report(clean)
        return clean

    def output(self, scaled: Tensor, time: float, sigma: float) -> Tensor:
        """The bare output for a latent that is scaled to variance 1 already."""
        output = self._denoiser(scaled, time).to(scaled.dtype)
        self.report(clean_estimate(scaled, output, sigma, self._prediction))
        return output

    def report(self, clean: Tensor) -> None:
        """One look more; steps are counted in proportion."""
        step = 1 + min(self._done, self._looks - 1) * self._steps // self._looks
        self._done += 1
        self._on_step(step, self._steps, clean)
