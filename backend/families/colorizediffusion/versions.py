"""The generations of ColorizeDiffusion: a row for each, with everything in which one differs from the others.

A new generation is its networks, a file like ``v15.py``, and a row here.  Nothing here loads a network's library: listing the
models of a folder does not wait for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from backend.contract.family import ModelSpec
from backend.families.colorizediffusion import v1, v15
from backend.families.colorizediffusion.checkpoint import key_mapping
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.families.colorizediffusion.layers import SD2_LAYERS, LayerGroups
from backend.weights.companions import Companion
from backend.weights.detection import CheckpointKind
from backend.weights.state_dict import Names, Shapes
from shared.errors import ErrorCode, LinewashError

if TYPE_CHECKING:  # these bring torch's and diffusers' networks along
    from backend.families.colorizediffusion.conditioning import BuildReference, Encoders

BuildNetworks = Callable[[Shapes, NetworkConfig], dict[str, nn.Module]]
"""The networks of a checkpoint with tensors of these shapes, by part, on the device torch builds on."""


@dataclass(frozen=True)
class Version:
    """One generation."""

    kind: CheckpointKind
    """How its checkpoints are recognized."""
    spec: ModelSpec
    """What it says of itself to painters."""
    build: BuildNetworks
    """At least ``unet``, ``sketch_encoder`` and ``vae``; all others are the version's extra parts."""
    key_map: Mapping[str, Names]
    """For each of these parts, from a key of its state dict to the tensor in the file."""
    reference: Callable[[Encoders, Mapping[str, nn.Module]], BuildReference]
    """What the U-Net is told of the reference, given the encoders and the extra parts."""
    layers: LayerGroups = SD2_LAYERS
    """The cross-attention layers."""
    clip: Companion = "clip-vit-h-14"
    """Whose vision tower reads references."""
    latent_scale: float = 0.18215
    """Latents are stored times this (spec 2)."""
    stepping: tuple[str, ...] = ("unet",)
    """Parts that every step needs; the others work before and after the steps."""
    narrow: tuple[str, ...] = ("unet", "sketch_encoder")
    """Parts that compute in the device's number format; the others but the VAE and CLIP are float32."""

    @property
    def name(self) -> str:
        """What it is called in errors."""
        return self.kind.name


_COMMON = ("model.", "first_stage_model.", "control_encoder.")
_COMMON_KEY_MAP: Mapping[str, Names] = {
    "unet": key_mapping.unet,
    "sketch_encoder": key_mapping.sketch,
    "vae": key_mapping.vae,
}

V15 = Version(
    CheckpointKind("v1.5", _COMMON, (key_mapping.THRESHOLD, key_mapping.TOKENS)),
    v15.SPEC,
    v15.build_networks,
    {**_COMMON_KEY_MAP, "threshold_embedder": key_mapping.threshold, "token_transformer": key_mapping.tokens},
    v15.reference_builder,
)
V1 = Version(CheckpointKind("v1", _COMMON), v1.SPEC, v1.build_networks, _COMMON_KEY_MAP, v1.reference_builder)
VERSIONS = (V15, V1)
"""Newest first: a later generation holds all that ``V1`` is recognized by."""

_XL = ("proj.", f"{key_mapping.UNET}label_emb.")
LATER_KINDS = (
    CheckpointKind("xlv2", (*_COMMON, "bg_encoder."), _XL),
    CheckpointKind("xl", _COMMON, _XL),
    CheckpointKind("v2", _COMMON, ("bg_encoder.", "style_encoder.", f"{key_mapping.UNET}warp_modules.")),
)
"""Generations that are recognized, but cannot be loaded yet."""


def detect_version(names: Iterable[str], versions: Sequence[Version] = VERSIONS) -> Version:
    """The version of a checkpoint whose tensors have these names.  LinewashError MODEL_OTHER_FAMILY for any other file."""
    held = frozenset(names)
    later = next((kind for kind in LATER_KINDS if kind.fits(held)), None)
    if later is not None:
        raise LinewashError(ErrorCode.MODEL_OTHER_FAMILY, f"a checkpoint of a later generation: {later.name}")
    version = next((version for version in versions if version.kind.fits(held)), None)
    if version is None:
        missing = [prefix for prefix in _COMMON if not any(name.startswith(prefix) for name in held)]
        raise LinewashError(ErrorCode.MODEL_OTHER_FAMILY, f"nothing named {', '.join(f'{prefix}*' for prefix in missing)}")
    return version
