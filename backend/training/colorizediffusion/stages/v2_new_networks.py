"""v2's networks where the start checkpoint has none: low-rank pairs, encoders of references, warp and style modules."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from backend.families.colorizediffusion.checkpoint.loader import Parts
from backend.families.colorizediffusion.v2 import PAIRED_LAYERS
from backend.families.colorizediffusion.versions import V2
from backend.networks.colorizediffusion.attention_inputs import PROJECTIONS, Ranks
from backend.networks.colorizediffusion.reference.reference_encoder import (
    SIZE_WAVES,
    BackgroundEncoder,
    ReferenceEncoder,
    StyleEncoder,
)
from backend.networks.colorizediffusion.reference.style_modules import StyleModules
from backend.networks.colorizediffusion.reference.warp_modules import WarpModules
from backend.networks.colorizediffusion.transformer_blocks import cross_attentions
from backend.networks.colorizediffusion.unet import ReferenceUNet

RANK = 4
"""Of all low-rank pairs (spec 10)."""
_BLOCKS = 3
"""Blocks of a level, on the way down with the down-sampler, on the way up without the up-sampler."""
_SIDES = 2
"""Height and width, which an encoder is told."""

Encoder = TypeVar("Encoder", bound=ReferenceEncoder)


def expand_to_v2(parts: Parts) -> Parts:
    """v1's or v2's networks with all that v2 has.

    New pairs, warp and style modules add nothing of the reference until they are trained.  An encoder that is missing, or has
    learned nothing yet, takes the weights of the U-Net's down half (spec 21.4); its heads are zero.  What is new is frozen.
    """
    unet, extras = parts.unet, dict(parts.extras)
    if parts.version is not V2:
        plain = parts.unet.unwrap()
        unet = ReferenceUNet(plain, _ranks(plain))
    down, up = _skip_widths(unet.unet), _decoder_widths(unet.unet)
    config: Any = unet.unet.config
    if "background_encoder" not in extras:
        heads = [nn.Conv2d(width, width, 1) for width in reversed(down)]
        extras["background_encoder"] = _new_encoder(BackgroundEncoder, unet.unet, heads)
    if "style_encoder" not in extras:
        widths = zip(reversed(down), reversed(up), strict=True)
        extras["style_encoder"] = _new_encoder(StyleEncoder, unet.unet, [nn.Linear(width, 2 * to) for width, to in widths])
    for encoder in extras.values():
        if isinstance(encoder, ReferenceEncoder) and not has_learned(encoder):
            _copy_down_half(unet.unet, encoder)
    if "warp_modules" not in extras:
        extras["warp_modules"] = WarpModules(down, parts.config.head_dim)
    if "style_modules" not in extras:
        extras["style_modules"] = StyleModules(up, 4 * config.block_out_channels[0])
    for network in (unet, *extras.values()):
        network.requires_grad_(False).eval()
    return replace(parts, version=V2, unet=unet, extras=extras)


def _ranks(unet: UNet2DConditionModel) -> list[Ranks]:
    paired: Ranks = {name: {"foreground": RANK, "background": RANK} for name in PROJECTIONS}
    return [paired if number in PAIRED_LAYERS else {} for number in range(len(cross_attentions(unet)))]


def _skip_widths(unet: UNet2DConditionModel) -> list[int]:
    """Widths of the skips, as the decoder takes them: those of the encoder's blocks, backwards."""
    widths: Sequence[int] = cast(Any, unet).config.block_out_channels
    # The first convolution, then two blocks and a down-sampler a level; the last level has no down-sampler.
    return [widths[0], *(width for width in widths for _ in range(_BLOCKS))][:-1][::-1]


def _decoder_widths(unet: UNet2DConditionModel) -> list[int]:
    """Widths of the decoder's blocks, the deepest first."""
    widths: Sequence[int] = cast(Any, unet).config.block_out_channels
    return [width for width in reversed(widths) for _ in range(_BLOCKS)]


def has_learned(encoder: ReferenceEncoder) -> bool:
    """Whether its heads give something; the first step of a training run changes them."""
    return any(bool(weight.any()) for weight in encoder.heads.parameters())


def _new_encoder(kind: type[Encoder], unet: UNet2DConditionModel, heads: Sequence[nn.Module]) -> Encoder:
    """An encoder built as the U-Net's down half, with a new embedding of sizes and heads that give zero.

    Its blocks have no weights yet: they are on the meta device.
    """
    for head in heads:
        for weight in head.parameters():
            nn.init.zeros_(weight)
    # Names with an underscore are diffusers' own notes.
    config: dict[str, Any] = {name: value for name, value in cast(Any, unet).config.items() if not name.startswith("_")}
    sizes: dict[str, Any] = {"class_embed_type": "projection", "projection_class_embeddings_input_dim": _SIDES * SIZE_WAVES}
    with torch.device("meta"):  # a whole U-Net, most of which is taken away again
        encoder = kind(UNet2DConditionModel(**{**config, **sizes}), nn.ModuleList(heads))
    embedding = cast(nn.Module, encoder.unet.class_embedding)
    embedding.to_empty(device="cpu")
    for layer in embedding.modules():
        if isinstance(layer, nn.Linear):
            layer.reset_parameters()
    return encoder


def _copy_down_half(unet: UNet2DConditionModel, encoder: ReferenceEncoder) -> None:
    """Give the encoder's blocks copies of the U-Net's weights; its embedding of sizes and its heads stay."""
    backbone = unet.state_dict()
    state = encoder.unet.state_dict()
    copied = {name: backbone[name].clone() for name in state if not name.startswith("class_embedding.")}
    encoder.unet.load_state_dict({**state, **copied}, assign=True)
