"""The frozen encoders that a version needs beside its own networks: how each is found in a file, built and made ready."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from torch import nn

from backend.families.colorizediffusion.checkpoint import network_configs, xl_network_configs
from backend.families.colorizediffusion.checkpoint.clip_layouts import vision_names
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.families.colorizediffusion.checkpoint.xl_key_mapping import TAGGER_HEAD, tagger_key_map
from backend.networks.clip import ImageEncoder, register_position_ids
from backend.weights.companions import Companion
from backend.weights.state_dict import KeyMap, Shapes

IMAGE_ENCODER, TAGGER = "image_encoder", "tagger"
"""Names of the parts."""


@dataclass(frozen=True)
class CompanionPart:
    """One frozen encoder."""

    part: str
    """What its network is called among a model's parts."""
    key_map: Callable[[Iterable[str]], KeyMap | None]
    """The mapping to a file with tensors of these names; None when the file has no such network."""
    build: Callable[[Shapes, KeyMap, NetworkConfig], nn.Module]
    """Builds the network of a file on torch's default device."""
    finish: Callable[[nn.Module, str], None]
    """Makes what no file holds, after a network was built on the meta device and moved to this one."""
    unread: frozenset[str] = frozenset()
    """Tensors that a file with this encoder may hold although the network does not read them."""


def _finish_clip(network: nn.Module, device: str) -> None:
    register_position_ids(cast(ImageEncoder, network).clip.vision_model.embeddings, device)


def _finish_tagger(network: nn.Module, device: str) -> None:
    """Compute the tables of relative positions."""
    for module in network.modules():
        if hasattr(module, "create_coords_table_and_index"):
            attention = cast(Any, module)
            table, index = attention.create_coords_table_and_index()
            attention.relative_coords_table, attention.relative_position_index = table.to(device), index.to(device)


_CLIP = CompanionPart(IMAGE_ENCODER, vision_names, network_configs.image_encoder, _finish_clip)
COMPANION_PARTS: Mapping[Companion, CompanionPart] = {
    "clip-vit-h-14": _CLIP,
    "clip-vit-bigg-14": _CLIP,
    "wd-tagger": CompanionPart(TAGGER, tagger_key_map, xl_network_configs.tagger, _finish_tagger, TAGGER_HEAD),
}
