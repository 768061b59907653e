"""What the two phases minimize (spec animediffusion 5)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from backend.families.animediffusion.loader import load_unet
from backend.families.animediffusion.sampling import (
    PUBLISHED_ETA,
    PUBLISHED_STEPS,
    Denoiser,
    add_noise,
    ddim_invert,
    ddim_sample,
)
from backend.networks.animediffusion import AnimeUNet
from backend.training.animediffusion.batch import Batch, BatchConfig, draw_batch
from backend.training.animediffusion.dataset import FacePairs

Reduction = Literal["sum", "mean"]
InitialNoise = Literal["published", "inverted", "random"]
"""The noise that phase 2's sampler starts from: the image, inverted by DDIM with the network, or random noise.

published: inverted, but the network is not told the time on the way, as in the published program.
"""


@dataclass(frozen=True)
class InitialNetwork:
    """The network that a phase starts from."""

    path: Path | None = None
    """Its checkpoint; None: a new network."""
    widths: tuple[int, ...] = (64, 128, 256, 512)
    """Of a new network's levels."""

    def load(self) -> AnimeUNet:
        """The network, trainable.  Raises LinewashError: see ``load_unet``; ValueError for widths no network can have."""
        network = AnimeUNet(self.widths) if self.path is None else load_unet(self.path)
        return network.requires_grad_(True).train()


def reduce_errors(errors: Tensor, reduction: Reduction) -> Tensor:
    """Sum or mean over batch, channels and pixels."""
    return errors.sum() if reduction == "sum" else errors.mean()


class Phase(ABC):
    """What both phases share.  See ``engine.task.Task``."""

    def __init__(self, dataset: FacePairs, start: InitialNetwork, config: BatchConfig, reduction: Reduction) -> None:
        self.dataset, self.start, self.config = dataset, start, config
        self.reduction: Reduction = reduction

    def batch(self, rng: np.random.Generator) -> Batch:
        """A batch of random images."""
        return draw_batch(self.dataset, rng, self.config)

    @abstractmethod
    def network(self) -> nn.Module:
        """The network to train."""

    @abstractmethod
    def errors(self, network: Any, batch: Batch) -> Tensor:
        """Squared errors (B, 3, S, S), float32."""

    def loss(self, network: Any, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """The reduced errors; as a metric, their mean whatever the reduction is."""
        errors = self.errors(network, batch)
        return reduce_errors(errors, self.reduction), {"error": float(errors.detach().mean())}


class Phase1(Phase):
    """The network learns to predict the noise in a face from its lines and the warped face as reference."""

    def network(self) -> AnimeUNet:
        """The U-Net."""
        return self.start.load()

    def errors(self, network: Any, batch: Batch) -> Tensor:
        """Of the predicted noise."""
        noisy = add_noise(batch.color, batch.noise, batch.time)
        return (network(noisy, batch.lines, batch.reference, batch.time).float() - batch.noise).square()


class DifferentiableSampler(nn.Module):
    """The U-Net run through all steps of the sampler, differentiable through every step.

    Each step is checkpointed: its activations are computed again in the backward pass, so that memory holds those of one step.
    """

    def __init__(self, unet: AnimeUNet, initial_noise: InitialNoise, steps: int, eta: float) -> None:
        super().__init__()
        self.unet, self._initial_noise, self._steps, self._eta = unet, initial_noise, steps, eta

    def forward(self, batch: Batch) -> Tensor:
        """(B, 3, S, S): the image sampled with the batch's noise, lines and references."""
        denoiser = self._denoiser(batch)

        def run_checkpointed(noisy: Tensor, time: Tensor | None) -> Tensor:
            prediction = checkpoint(denoiser, noisy, time, use_reentrant=False)
            assert isinstance(prediction, Tensor)
            return prediction

        step_noise = iter(batch.step_noise)
        start = self.initial_noise(batch)
        return ddim_sample(run_checkpointed, start, self._steps, self._eta, lambda: next(step_noise), lambda *_: None)

    @torch.no_grad()
    def initial_noise(self, batch: Batch) -> Tensor:
        """(B, 3, S, S): the noise that the sampler starts from.  See ``InitialNoise``."""
        if self._initial_noise == "random":
            return batch.noise
        denoiser = self._denoiser(batch)
        by: Denoiser = denoiser if self._initial_noise == "inverted" else lambda noisy, _: denoiser(noisy, None)
        return ddim_invert(by, batch.color, batch.noise, self._steps)

    def _denoiser(self, batch: Batch) -> Denoiser:
        return lambda noisy, time: self.unet(noisy, batch.lines, batch.reference, time).float()


class Phase2(Phase):
    """Corrects the tones: the loss compares the sampled image with the true one."""

    def __init__(
        self,
        dataset: FacePairs,
        start: InitialNetwork,
        config: BatchConfig,
        reduction: Reduction = "mean",
        initial_noise: InitialNoise = "published",
        steps: int = PUBLISHED_STEPS,
        eta: float = PUBLISHED_ETA,
    ) -> None:
        """steps, eta: of the sampler."""
        super().__init__(dataset, start, replace(config, step_noises=steps if eta > 0 else 0), reduction)
        self._initial_noise: InitialNoise = initial_noise
        self._steps, self._eta = steps, eta

    def network(self) -> DifferentiableSampler:
        """The U-Net in its sampler."""
        return DifferentiableSampler(self.start.load(), self._initial_noise, self._steps, self._eta)

    def errors(self, network: Any, batch: Batch) -> Tensor:
        """Of the sampled image."""
        return (network(batch) - batch.color).square()
