"""What both stages share: a checkpoint to begin with, the networks that stay as they are, and the loss (spec 21.1)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from backend.families.colorizediffusion.checkpoint_layout import Version
from backend.families.colorizediffusion.loader import Parts, load_parts
from backend.families.diffusion.denoiser import Prediction
from backend.networks.clip import patch_tokens, preprocess
from backend.training.colorizediffusion.batch import Batch, BatchConfig, draw_batch
from backend.training.colorizediffusion.dataset import ImageDataset
from backend.training.colorizediffusion.objective import add_noise, min_snr_weight, squared_errors, training_target
from backend.training.colorizediffusion.warp import warp_images
from backend.weights.companions import Companions

LATENT_SCALE = 0.18215
CROSS_ATTENTIONS = 16
FULL_STRENGTH = (1.0,) * CROSS_ATTENTIONS
HIGH_NOISE_TIME = 500
"""Times from here on are figured apart: there the reference decides more than the noise shows."""

Network = TypeVar("Network", bound=nn.Module)


class StartCheckpointError(ValueError):
    """A checkpoint that a stage cannot begin with, and why."""


@dataclass(frozen=True)
class StartCheckpoint:
    """The checkpoint a stage begins with, in published format; CLIP's own file unless it is inside.

    prediction: None = as the file's name says.  again: compute the U-Net's inner values again on the way back.
    """

    path: Path
    clip: Path | None = None
    prediction: Prediction | None = None
    gradient_checkpointing: bool = False

    def load(self) -> Parts:
        """A fresh copy of all networks, float32, frozen.  Raises what ``load_parts`` raises."""
        companions: Companions = {} if self.clip is None else {"clip-vit-h-14": self.clip}
        return load_parts(self.path, companions, prediction=self.prediction)


def move_to_device_of(network: Network, tensor: Tensor) -> Network:
    """A network that is not trained, brought to where ``tensor`` is."""
    if next(network.parameters()).device != tensor.device:
        network.to(tensor.device)
    return network


class Stage(ABC):
    """A task for the trainer but for its network and its answer.  A copy in another process makes batches, nothing else.

    begins_with: the versions whose checkpoints it can go on from.
    """

    start_versions: ClassVar[tuple[Version, ...]]

    def __init__(self, dataset: ImageDataset, start: StartCheckpoint, config: BatchConfig) -> None:
        self.dataset, self.start, self.config = dataset, start, config
        self._parts: Parts | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Without the networks."""
        return {**self.__dict__, "_parts": None}

    def load_start(self) -> Parts:
        """Load the checkpoint anew; what is not trained is kept for the loss.  StartError when it is of no use here."""
        self._parts = self.start.load()
        if self._parts.version not in self.start_versions:
            able = " or ".join(self.start_versions)
            raise StartCheckpointError(
                f"{self.start.path.name} is {self._parts.version}; this stage begins with a checkpoint of {able}"
            )
        self._parts.unet.checkpointing = self.start.gradient_checkpointing
        return self._parts

    @property
    def parts(self) -> Parts:
        """The networks of the last ``begin``."""
        assert self._parts is not None  # the trainer asks for the network first
        return self._parts

    def batch(self, rng: np.random.Generator) -> Batch:
        """Pictures at random."""
        return draw_batch(self.dataset, rng, self.config)

    @abstractmethod
    def network(self) -> nn.Module:
        """What is trained, with the checkpoint's weights."""

    @abstractmethod
    def predict(self, network: Any, batch: Batch, noisy: Tensor) -> Tensor:
        """The network's output for noisy latents (B, 4, h, w)."""

    def loss(self, network: Any, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Mean squared error against noise or v; the same for late and early times."""
        prediction = self.parts.prediction
        clean = self.encode_latent(batch)
        output = self.predict(network, batch, add_noise(clean, batch.noise, batch.time))
        errors = squared_errors(output, training_target(clean, batch.noise, batch.time, prediction))
        weighted = errors
        if self.config.min_snr:
            weighted = errors * min_snr_weight(batch.time, prediction, self.config.min_snr)
        known, early = errors.detach(), batch.time >= HIGH_NOISE_TIME
        return weighted.mean(), {"low_noise": float(known[~early].mean()), "high_noise": float(known[early].mean())}

    @torch.no_grad()
    def encode_latent(self, batch: Batch) -> Tensor:
        """(B, 4, h, w): the VAE's posterior, sampled with the batch's noise, scaled."""
        vae: Any = move_to_device_of(self.parts.vae, batch.color)
        posterior = vae.encode(batch.color).latent_dist
        return (posterior.mean.float() + posterior.std.float() * batch.posterior_noise) * LATENT_SCALE

    @torch.no_grad()
    def encode_tokens(self, pictures: Tensor, warp: Tensor) -> Tensor:
        """(B, 256, C) patch tokens of pictures (B, 3, R, R), warped as CLIP sees them where ``warp`` says how."""
        vision = move_to_device_of(self.parts.vision, pictures)
        seen = preprocess(pictures.float(), vision.size)
        if len(warp):
            seen = warp_images(seen, warp[:, 0], warp[:, 1])
        return patch_tokens(vision.encode(seen))
