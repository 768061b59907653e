"""The versions of ColorizeDiffusion: one row for each, with everything in which it differs from the others.

A new version is its networks, a file like ``v15.py``, and a row here.  Nothing here imports transformers or networks of
diffusers, so that listing the models of a folder stays fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch import Tensor, nn

from backend.contract.family import ModelSpec
from backend.families.colorizediffusion import v1, v2, v15, xl
from backend.families.colorizediffusion.checkpoint import key_mapping, xl_key_mapping
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.families.colorizediffusion.layers import SD2_LAYERS, XL_LAYERS, LayerGroups
from backend.families.colorizediffusion.preprocessing import SIDES, XL_SIDES, latent_mask, nearest_latent_mask
from backend.families.runtime.canvas_frame import SideRange
from backend.weights.companions import Companion
from backend.weights.detection import CheckpointKind
from backend.weights.state_dict import KeyMap, Shapes
from shared.errors import ErrorCode, LinewashError

if TYPE_CHECKING:  # these load transformers and diffusers' networks
    from backend.families.colorizediffusion.conditioning import BuildReference, Encoders, ReferenceTokens
    from backend.families.colorizediffusion.options import Strengths

BuildNetworks = Callable[[Shapes, NetworkConfig], dict[str, nn.Module]]
"""Builds the networks of a checkpoint with tensors of these shapes, by part, on torch's default device."""


@dataclass(frozen=True)
class Version:
    """One version of ColorizeDiffusion."""

    kind: CheckpointKind
    """How its checkpoints are recognized."""
    spec: ModelSpec
    """Its modes, parameters and license, for painters."""
    build: BuildNetworks
    """Builds at least ``unet``, ``sketch_encoder`` and ``vae``; all others are the version's extra parts."""
    key_map: Mapping[str, KeyMap]
    """For each of these parts, the mapping from a key of its state dict to the tensor in the file."""
    reference: Callable[[Encoders, Mapping[str, nn.Module], NetworkConfig], BuildReference]
    """Gives the function that builds the U-Net's conditioning on the reference, from the encoders and the extra parts."""
    uses_background: Callable[[str, Strengths], bool]
    """Whether a background reference changes the result, by mode and strengths."""
    file_prefix: str
    """How the names of its published files begin."""
    part_titles: Mapping[str, str] = field(default_factory=dict[str, str])
    """Prefix of the tensors of each extra part -> what an error calls the part."""
    layers: LayerGroups = SD2_LAYERS
    """The cross-attention layers of the U-Net."""
    companions: tuple[Companion, ...] = ("clip-vit-h-14",)
    """The frozen encoders that read references; the first is CLIP."""
    reads_text: bool = True
    """Whether words can change references, by CLIP's text tower."""
    unread: frozenset[str] = frozenset()
    """Tensors that its files may hold although no network reads them."""
    sides: SideRange = SIDES
    """The sides that its images may have (spec 15.4, XL 8.6)."""
    latent_mask: Callable[[Tensor], Tensor] = latent_mask
    """A mask (B, 1, H, W) of the image at the latent's size, an eighth (spec 9.2, XL 6)."""
    reference_tokens: Callable[[Mapping[str, nn.Module]], ReferenceTokens] = v1.reference_tokens
    """From the extra parts, gives the function that makes the tokens which cross-attention sees."""
    latent_scale: float = 0.18215
    """Factor from the VAE's latents to those of the diffusion (spec 2)."""
    step_parts: tuple[str, ...] = ("unet",)
    """Parts that compute at every step; the others compute before and after the steps."""
    low_precision_parts: tuple[str, ...] = ("unet", "sketch_encoder")
    """Parts that compute in 16 bits where the device does; the others, except VAE and CLIP, are always float32."""

    @property
    def name(self) -> str:
        """Its name in errors."""
        return self.kind.name


_COMMON = ("model.", "first_stage_model.", "control_encoder.")
_COMMON_KEY_MAP: Mapping[str, KeyMap] = {
    "unet": key_mapping.unet_source,
    "sketch_encoder": key_mapping.sketch_source,
    "vae": key_mapping.vae_source,
}

_XL = (xl_key_mapping.PROJECTION_PREFIX, f"{key_mapping.UNET_PREFIX}label_emb.")
XL = Version(
    CheckpointKind("xl", _COMMON, _XL),
    xl.SPEC,
    xl.build_networks,
    {
        "unet": xl_key_mapping.unet_source,
        "sketch_encoder": xl_key_mapping.sketch_source,
        "vae": key_mapping.vae_source,
        "context_projection": xl_key_mapping.projection_source,
    },
    xl.reference_builder,
    xl.uses_background,
    "sdxl",
    {xl_key_mapping.PROJECTION_PREFIX: "context projection"},
    layers=XL_LAYERS,
    companions=("clip-vit-bigg-14", "wd-tagger"),
    reads_text=False,
    latent_scale=0.13025,
    sides=XL_SIDES,
    latent_mask=nearest_latent_mask,
    reference_tokens=xl.reference_tokens,
)
V2 = Version(
    CheckpointKind("v2", _COMMON, (key_mapping.BACKGROUND_PREFIX, key_mapping.STYLE_PREFIX, key_mapping.WARP_PREFIX)),
    v2.SPEC,
    v2.build_networks,
    {
        **_COMMON_KEY_MAP,
        "background_encoder": key_mapping.reference_encoder_names(key_mapping.BACKGROUND_PREFIX),
        "style_encoder": key_mapping.reference_encoder_names(key_mapping.STYLE_PREFIX),
        "warp_modules": key_mapping.warp_source,
        "style_modules": key_mapping.style_modules_source,
    },
    v2.reference_builder,
    v2.uses_background,
    "v2",
    {
        key_mapping.BACKGROUND_PREFIX: "background encoder",
        key_mapping.STYLE_PREFIX: "style encoder",
        key_mapping.WARP_PREFIX: "warp modules",
        key_mapping.STYLE_MODULES_PREFIX: "style modules",
    },
    step_parts=("unet", "warp_modules", "style_modules"),
    low_precision_parts=("unet", "sketch_encoder", "background_encoder", "style_encoder", "warp_modules", "style_modules"),
)
V15 = Version(
    CheckpointKind("v1.5", _COMMON, (key_mapping.THRESHOLD_PREFIX, key_mapping.TOKENS_PREFIX)),
    v15.SPEC,
    v15.build_networks,
    {**_COMMON_KEY_MAP, "threshold_embedder": key_mapping.threshold_source, "token_transformer": key_mapping.tokens_source},
    v15.reference_builder,
    v15.uses_background,
    "switch",
    {key_mapping.THRESHOLD_PREFIX: "threshold embedder", key_mapping.TOKENS_PREFIX: "token transformer"},
)
V1 = Version(
    CheckpointKind("v1", _COMMON),
    v1.SPEC,
    v1.build_networks,
    _COMMON_KEY_MAP,
    v1.reference_builder,
    v1.uses_background,
    "mult",
)
VERSIONS = (XL, V2, V15, V1)
"""Newest first, because later checkpoints also hold everything that ``V1`` is recognized by."""

LATER_KINDS = (CheckpointKind("xlv2", (*_COMMON, "bg_encoder."), _XL),)
"""Versions that are recognized, but cannot be loaded yet."""


def detect_version(names: Iterable[str], versions: Sequence[Version] = VERSIONS) -> Version:
    """The version of a checkpoint whose tensors have these names.  Raises LinewashError MODEL_OTHER_FAMILY for other files."""
    tensor_names = frozenset(names)
    later = next((kind for kind in LATER_KINDS if kind.matches(tensor_names)), None)
    if later is not None:
        raise LinewashError(ErrorCode.MODEL_OTHER_FAMILY, f"a checkpoint of a later version: {later.name}")
    version = next((version for version in versions if version.kind.matches(tensor_names)), None)
    if version is None:
        missing = [prefix for prefix in _COMMON if not any(name.startswith(prefix) for name in tensor_names)]
        raise LinewashError(ErrorCode.MODEL_OTHER_FAMILY, f"nothing named {', '.join(f'{prefix}*' for prefix in missing)}")
    return version


PUBLISHED_CONFIG = NetworkConfig()
"""Of checkpoints without a JSON file."""


def check_parts(version: Version, names: Iterable[str]) -> None:
    """Raise LinewashError MODEL_PART_MISSING where no tensor of one of the version's extra parts is among these names."""
    tensor_names = frozenset(names)
    missing = [
        title for prefix, title in version.part_titles.items() if not any(name.startswith(prefix) for name in tensor_names)
    ]
    if missing:
        raise LinewashError(ErrorCode.MODEL_PART_MISSING, f"{version.spec.title} without its {' and '.join(missing)}")


def name_warning(version: Version, stem: str, config: NetworkConfig = PUBLISHED_CONFIG) -> str:
    """A sentence where a checkpoint's file is named as those of another version; '' where it is not.

    The published program tells versions, and what their weights predict, by the file's name alone (spec 2).  A file beside the
    checkpoint that says what they predict, ``config``, makes the name harmless.
    """
    if config.prediction is not None:
        return ""
    lower = stem.lower()
    other = next((row for row in VERSIONS if lower.startswith(row.file_prefix)), version)
    if other is version:
        return ""
    return (
        f"{stem} is named like {other.spec.title} but holds {version.spec.title}. If the colors are wrong, choose "
        "under Predicts what it was trained for."
    )
