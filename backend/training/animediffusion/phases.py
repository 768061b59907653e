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
from backend.training.animediffusion.batch import Batch, Settings, draw_batch
from backend.training.animediffusion.dataset import FacePairs

Reduction = Literal["sum", "mean"]
Beginning = Literal["published", "timed", "noise"]
"""Where phase 2's sampler begins: at the noise to which the network leads from the picture, without being told the time (as
published) or with it; or at pure noise."""


@dataclass(frozen=True)
class Start:
    """A checkpoint to begin with, or None: a fresh network of these widths."""

    path: Path | None = None
    widths: tuple[int, ...] = (64, 128, 256, 512)

    def load(self) -> AnimeUNet:
        """Ready to be trained.  Raises LinewashError: see ``load_unet``; ValueError for widths no network can have."""
        network = AnimeUNet(self.widths) if self.path is None else load_unet(self.path)
        return network.requires_grad_(True).train()


def reduced(errors: Tensor, reduction: Reduction) -> Tensor:
    """Over batch, channels and pixels."""
    return errors.sum() if reduction == "sum" else errors.mean()


class Phase(ABC):
    """See ``trainer.Task``."""

    def __init__(self, data: FacePairs, start: Start, settings: Settings, reduction: Reduction) -> None:
        self.store, self.start, self.settings = data, start, settings
        self.reduction: Reduction = reduction

    def batch(self, rng: np.random.Generator) -> Batch:
        """Pictures at random."""
        return draw_batch(self.store, rng, self.settings)

    @abstractmethod
    def network(self) -> nn.Module:
        """What is trained."""

    @abstractmethod
    def errors(self, network: Any, batch: Batch) -> Tensor:
        """Squared errors (B, 3, S, S), float32."""

    def loss(self, network: Any, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """The errors reduced; their mean whatever the reduction is."""
        errors = self.errors(network, batch)
        return reduced(errors, self.reduction), {"error": float(errors.detach().mean())}


class Phase1(Phase):
    """The network learns to say the noise in a face from its lines and the face itself, bent."""

    def network(self) -> AnimeUNet:
        """The U-Net alone."""
        return self.start.load()

    def errors(self, network: Any, batch: Batch) -> Tensor:
        """Of the noise."""
        noisy = add_noise(batch.color, batch.noise, batch.time)
        return (network(noisy, batch.lines, batch.reference, batch.time).float() - batch.noise).square()


class Sampled(nn.Module):
    """The U-Net as the whole sampler: pictures in, pictures out, differentiable through every step.

    Each step's inner values are computed a second time on the way back, so that memory holds those of one step only.
    """

    def __init__(self, unet: AnimeUNet, beginning: Beginning, steps: int, eta: float) -> None:
        super().__init__()
        self.unet, self._beginning, self._steps, self._eta = unet, beginning, steps, eta

    def forward(self, batch: Batch) -> Tensor:
        """(B, 3, S, S): what the sampler makes of the batch's noise, lines and references."""
        look = self._look(batch)

        def again(noisy: Tensor, time: Tensor | None) -> Tensor:
            seen = checkpoint(look, noisy, time, use_reentrant=False)
            assert isinstance(seen, Tensor)
            return seen

        draws = iter(batch.step_noise)
        return ddim_sample(again, self.begin(batch), self._steps, self._eta, lambda: next(draws), lambda *_: None)

    @torch.no_grad()
    def begin(self, batch: Batch) -> Tensor:
        """(B, 3, S, S): what the sampler begins with."""
        if self._beginning == "noise":
            return batch.noise
        look = self._look(batch)
        by: Denoiser = look if self._beginning == "timed" else lambda noisy, time: look(noisy, None)
        return ddim_invert(by, batch.color, batch.noise, self._steps)

    def _look(self, batch: Batch) -> Denoiser:
        return lambda noisy, time: self.unet(noisy, batch.lines, batch.reference, time).float()


class Phase2(Phase):
    """The tones are mended: what the sampler paints is held against the picture."""

    def __init__(
        self,
        data: FacePairs,
        start: Start,
        settings: Settings,
        reduction: Reduction = "mean",
        beginning: Beginning = "published",
        steps: int = PUBLISHED_STEPS,
        eta: float = PUBLISHED_ETA,
    ) -> None:
        super().__init__(data, start, replace(settings, draws=steps if eta > 0 else 0), reduction)
        self._beginning: Beginning = beginning
        self._steps, self._eta = steps, eta

    def network(self) -> Sampled:
        """The U-Net in its sampler."""
        return Sampled(self.start.load(), self._beginning, self._steps, self._eta)

    def errors(self, network: Any, batch: Batch) -> Tensor:
        """Of the picture."""
        return (network(batch) - batch.color).square()
