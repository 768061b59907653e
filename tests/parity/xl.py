"""The networks of XL's and XL-v2's golden files, built and filled from names and shapes, and what the tests ask of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers import AutoencoderKL
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from backend.families.colorizediffusion.checkpoint import (
    clip_layouts,
    key_mapping,
    network_configs,
    xl_key_mapping,
    xl_network_configs,
)
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.networks.clip import ImageEncoder
from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput, Split
from backend.networks.colorizediffusion.half_selectors import BiasedSelector, HalfSelector, HardSelector
from backend.networks.colorizediffusion.multiscale_sketch_encoder import MultiscaleSketchEncoder
from backend.networks.colorizediffusion.reference.context_projection import ContextProjection
from backend.networks.colorizediffusion.unet import ReferenceUNet
from backend.networks.tagger import Tagger
from backend.weights.state_dict import KeyMap, Shapes
from tests.parity.golden import FOLDER

BESIDE: dict[str, Any] = {
    "head_dim": 8,
    "vision_heads": 4,
    "sketch_head_dim": 16,
    "size_waves": 16,
    "tagger_side": 32,
    "tagger_window": 4,
}
"""What the shapes of its tensors do not tell."""
CONFIG = NetworkConfig(**BESIDE)
LAYERS = 17
TOLERANCE = 1e-4
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class XlNetworks:
    """XL's networks at the golden file's size, float32."""

    unet: ReferenceUNet
    sketch_encoder: MultiscaleSketchEncoder
    projection: ContextProjection
    tagger: Tagger
    image_encoder: ImageEncoder
    vae: AutoencoderKL


@cache
def tensors(version: str = "xl") -> Mapping[str, Tensor]:
    """Everything in the golden file; weights and 16-bit inputs as float32."""
    with safe_open(FOLDER / f"{version}.safetensors", "pt") as file:  # type: ignore[no-untyped-call]
        found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return {name: x.float() if x.dtype == torch.float16 else x for name, x in found.items()}


def expected(name: str, version: str = "xl") -> Tensor:
    """An output of the reference program."""
    return tensors(version)[f"out.{name}"]


def given(name: str, version: str = "xl") -> Tensor:
    """An input of the reference program."""
    return tensors(version)[f"in.{name}"]


def fill(network: Network, key_map: KeyMap, version: str = "xl") -> Network:
    """The network with the golden weights, in evaluation mode."""
    weights, golden = {key: key_map(key) for key in network.state_dict()}, tensors(version)
    network.load_state_dict({key: source.transform(golden[f"sd.{source.name}"]) for key, source in weights.items()})
    return network.requires_grad_(False).eval()


@cache
def networks(version: str = "xl") -> XlNetworks:
    """All networks that both have."""
    shapes = golden_shapes(version)
    clip = clip_layouts.transformers_names("cond_stage_model.model.")
    tagger = xl_key_mapping.tagger_names(xl_key_mapping.TAGGER_PREFIX)
    return XlNetworks(
        fill(xl_network_configs.reference_unet(shapes, CONFIG), xl_key_mapping.unet_source, version),
        fill(xl_network_configs.sketch_encoder(shapes, CONFIG), xl_key_mapping.sketch_source, version),
        fill(xl_network_configs.context_projection(shapes, CONFIG), xl_key_mapping.projection_source, version),
        fill(xl_network_configs.tagger(shapes, tagger, CONFIG), tagger, version),
        fill(network_configs.image_encoder(shapes, clip, CONFIG), clip, version),
        fill(network_configs.autoencoder(shapes, CONFIG), key_mapping.vae_source, version),
    )


def write_checkpoint(folder: Path, name: str = "sdxl-tiny") -> Path:
    """Write the golden weights as a checkpoint that holds its companions; return the file."""
    path = folder / f"{name}.safetensors"
    save_file({key[3:]: x.contiguous() for key, x in tensors().items() if key.startswith("sd.")}, path)
    path.with_suffix(".json").write_text(json.dumps(BESIDE), encoding="utf-8")
    return path


def golden_shapes(version: str) -> Shapes:
    """Name -> shape of the golden checkpoint."""
    return {name[3:]: tuple(x.shape) for name, x in tensors(version).items() if name.startswith("sd.")}


def context(image: Tensor, version: str = "xl") -> Tensor:
    """What the U-Net attends to for a reference."""
    of = networks(version)
    return of.projection(of.image_encoder(image), of.tagger(image))


def check(found: Tensor, name: str, version: str = "xl") -> None:
    """``found`` is the reference program's output of that name."""
    wanted = expected(name, version)
    assert found.shape == wanted.shape
    assert float((found - wanted).abs().max()) <= TOLERANCE * max(1.0, float(wanted.abs().max())), name


def everywhere(value: float) -> tuple[float, ...]:
    """One number for all cross-attention layers."""
    return (value,) * LAYERS


def whole(tokens: Tensor, strength: float = 1.0) -> CrossAttentionInput:
    """Every position sees all tokens."""
    return CrossAttentionInput(tokens.expand(2, -1, -1), everywhere(strength), None)


def split(tokens: Tensor, threshold: float, merge: float = 0.0, fg: float = 1.0, bg: float = 1.0) -> CrossAttentionInput:
    """Foreground and background see a half each."""
    selector: HalfSelector = HardSelector(everywhere(threshold)) if merge else BiasedSelector(everywhere(threshold))
    halves = Split(expected("mask"), everywhere(fg), everywhere(bg), everywhere(merge), selector)
    return CrossAttentionInput(tokens.expand(2, -1, -1), everywhere(1.0), halves)
