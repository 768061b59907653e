"""What all stages share: the start checkpoint, what is frozen, and the loss (spec 21.1)."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from backend.families.colorizediffusion.checkpoint.config import BackgroundContext
from backend.families.colorizediffusion.checkpoint.loader import Parts, load_parts
from backend.families.colorizediffusion.versions import VERSIONS, Version
from backend.families.diffusion.denoiser import Prediction
from backend.networks.clip import patch_tokens, preprocess
from backend.networks.colorizediffusion.reference.reference_encoder import ReferenceEncoder
from backend.networks.colorizediffusion.transformer_blocks import low_rank_pairs
from backend.networks.colorizediffusion.unet import ReferenceUNet
from backend.training.colorizediffusion.batch import Batch, BatchConfig, draw_batch
from backend.training.colorizediffusion.dataset import ImageDataset
from backend.training.colorizediffusion.objective import add_noise, min_snr_weight, squared_errors, training_target
from backend.training.colorizediffusion.stages.stage_table import PAIRS, StageInfo
from backend.training.colorizediffusion.warp import warp_images
from backend.weights.companions import Companions

HIGH_NOISE_TIME = 500
"""Errors from this time on get a metric of their own: there the reference decides more than the noisy image shows."""

Network = TypeVar("Network", bound=nn.Module)


class StartCheckpointError(ValueError):
    """A checkpoint that a stage cannot start from, and why."""


@dataclass(frozen=True)
class StartCheckpoint:
    """The checkpoint that a stage starts from, in published format."""

    path: Path
    """A safetensors file."""
    clip: Path | None = None
    """CLIP's own file; None: the checkpoint holds CLIP."""
    prediction: Prediction | None = None
    """None: as the JSON file beside the checkpoint says, or its name."""
    background_context: BackgroundContext | None = None
    """Whose tokens v2's background encoder is trained to attend to; None: see ``BackgroundStage.load_start``."""
    gradient_checkpointing: bool = False
    """Whether U-Net and encoders compute their activations again in the backward pass instead of keeping them."""

    def load(self) -> Parts:
        """A new copy of all networks, float32, frozen.  Raises what ``load_parts`` raises."""
        # The file is the CLIP of whichever version the checkpoint turns out to be.
        companions: Companions = {} if self.clip is None else {version.companions[0]: self.clip for version in VERSIONS}
        return load_parts(self.path, companions, prediction=self.prediction)


def move_to_device_of(network: Network, tensor: Tensor) -> Network:
    """A frozen network, moved to the device of ``tensor``."""
    if next(network.parameters()).device != tensor.device:
        network.to(tensor.device)
    return network


def freeze_all_but(trained: Collection[str], parts: Parts) -> None:
    """Let the parts of these names take gradients, and no others; the low-rank pairs of the U-Net are a part of their own."""
    for part, network in parts.networks.items():
        network.requires_grad_(part in trained)
    low_rank_pairs(parts.unet.unet).requires_grad_(PAIRS in trained)


class Stage(ABC):
    """A task for the trainer, but for its network and its forward pass.

    A copy in another process makes batches and nothing else.
    """

    info: ClassVar[StageInfo]
    """Its row of the table."""
    version: ClassVar[Version]
    """The version that the stage trains."""
    start_versions: ClassVar[tuple[Version, ...]]
    """The versions whose checkpoints the stage can start from."""
    notice: str = ""
    """What the user should know of the start checkpoint, once it is loaded; '' where there is nothing."""

    def __init__(self, dataset: ImageDataset, start: StartCheckpoint, config: BatchConfig) -> None:
        self.dataset, self.start, self.config = dataset, start, config
        self._parts: Parts | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Without the networks."""
        return {**self.__dict__, "_parts": None}

    @classmethod
    def expand(cls, parts: Parts) -> Parts:
        """The networks of a start checkpoint with those that the stage's version has besides, which are new."""
        return parts

    @classmethod
    @abstractmethod
    def build_network(cls, parts: Parts) -> nn.Module:
        """The network to train, made of the trained parts."""

    def network(self) -> nn.Module:
        """The network to train, with the weights of the start checkpoint."""
        return self.build_network(self.load_start()).train()

    def load_start(self) -> Parts:
        """Load the start checkpoint, expanded; its frozen networks are kept for the loss.

        Raises StartCheckpointError when its version is none of ``start_versions``, and what ``load_parts`` raises.
        """
        loaded = self.start.load()
        if loaded.version not in self.start_versions:
            versions = " or ".join(version.name for version in self.start_versions)
            raise StartCheckpointError(
                f"{self.start.path.name} is {loaded.version.name}; this stage begins with a checkpoint of {versions}"
            )
        parts = self.expand(loaded)
        parts = replace(parts, prediction=self.start.prediction or self.info.prediction or parts.prediction)
        freeze_all_but(self.info.trained, parts)
        for network in parts.networks.values():
            if isinstance(network, (ReferenceUNet, ReferenceEncoder)):
                network.checkpointing = self.start.gradient_checkpointing
        self._parts = parts
        return parts

    @property
    def parts(self) -> Parts:
        """The networks that ``load_start`` loaded last."""
        assert self._parts is not None  # the trainer asks for the network first
        return self._parts

    def batch(self, rng: np.random.Generator) -> Batch:
        """A batch of random images."""
        return draw_batch(self.dataset, rng, self.config)

    @abstractmethod
    def predict(self, network: Any, batch: Batch, noisy: Tensor) -> Tensor:
        """The network's output for noisy latents (B, 4, h, w)."""

    def loss(self, network: Any, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Mean squared error against noise or v.  Metrics: the same, unweighted, below HIGH_NOISE_TIME and from it on."""
        prediction = self.parts.prediction
        clean = self.encode_latent(batch)
        output = self.predict(network, batch, add_noise(clean, batch.noise, batch.time))
        errors = squared_errors(output, training_target(clean, batch.noise, batch.time, prediction))
        weighted = errors
        if self.config.min_snr:
            weighted = errors * min_snr_weight(batch.time, prediction, self.config.min_snr)
        unweighted, is_high = errors.detach(), batch.time >= HIGH_NOISE_TIME
        metrics = {"low_noise": float(unweighted[~is_high].mean()), "high_noise": float(unweighted[is_high].mean())}
        return weighted.mean(), metrics

    @torch.no_grad()
    def encode_latent(self, batch: Batch) -> Tensor:
        """(B, 4, h, w): the VAE's posterior, sampled with the batch's noise, scaled."""
        return self.sample_latent(batch.color, batch.posterior_noise)

    @torch.no_grad()
    def encode_image(self, image: Tensor) -> Tensor:
        """As ``encode_latent``, of any image (B, 3, H, W), with noise that is always the same."""
        shape = (len(image), 4, image.shape[-2] // 8, image.shape[-1] // 8)
        return self.sample_latent(image, torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(image))

    @torch.no_grad()
    def sample_latent(self, image: Tensor, noise: Tensor) -> Tensor:
        """(B, 4, h, w) of images (B, 3, H, W): the VAE's posterior, sampled with ``noise`` (B, 4, h, w), scaled."""
        vae: Any = move_to_device_of(self.parts.vae, image)
        posterior = vae.encode(image).latent_dist
        return (posterior.mean.float() + posterior.std.float() * noise) * self.parts.version.latent_scale

    @torch.no_grad()
    def encode_tokens(self, images: Tensor, warp: Tensor) -> Tensor:
        """(B, 256, C) patch tokens of images (B, 3, R, R).

        warp: points as in ``Batch``, by which the images are warped at CLIP's own size; empty: no warp.
        """
        vision = move_to_device_of(self.parts.image_encoder, images)
        preprocessed = preprocess(images.float(), vision.size)
        if len(warp):
            preprocessed = warp_images(preprocessed, warp[:, 0], warp[:, 1])
        return patch_tokens(vision.encode(preprocessed))
