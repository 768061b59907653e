"""A tiny U-Net in the shape of XL: two transformer blocks in one transformer, none at the first level."""

from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput, Ranks, Split
from backend.networks.colorizediffusion.half_selectors import HardSelector
from backend.networks.colorizediffusion.unet import ReferenceUNet

BLOCKS = 12
"""Transformer blocks: four on the way down, two in the middle, six on the way up."""
DECODER_BLOCKS = 6
WIDTH = 12
PAIRS: Ranks = {name: {"foreground": 2, "background": 3} for name in ("to_q", "to_k", "to_v")}


def constant(value: float) -> tuple[float, ...]:
    """The same number for every transformer block."""
    return (value,) * BLOCKS


def plain_unet(**changes: Any) -> UNet2DConditionModel:
    """diffusers' network with random weights."""
    torch.manual_seed(0)
    settings: dict[str, Any] = {
        "block_out_channels": (8, 16),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": (1, 2),
        "layers_per_block": 2,
        "attention_head_dim": (2, 4),
        "norm_num_groups": 4,
        "cross_attention_dim": WIDTH,
        "use_linear_projection": True,
        **changes,
    }
    return UNet2DConditionModel(**settings).eval()


def tiny_unet(**changes: Any) -> ReferenceUNet:
    """The same with low-rank pairs everywhere, whose weights are random."""
    unet = ReferenceUNet(plain_unet(**changes), [PAIRS] * BLOCKS)
    for name, weight in unet.named_parameters():
        if ".pairs." in name:
            nn.init.normal_(weight, std=0.3)
    return unet.requires_grad_(False)


def latent(rows: int = 2) -> Tensor:
    """Noisy latents (rows, 4, 8, 12)."""
    return torch.randn(rows, 4, 8, 12, generator=torch.Generator().manual_seed(1))


TIME = torch.tensor(481)
SPLIT_MASK = torch.rand(1, 1, 8, 12, generator=torch.Generator().manual_seed(2))


def cross_attention(rows: int = 2, split: Split | None = None) -> CrossAttentionInput:
    """Five tokens, or five for each half."""
    tokens = 5 if split is None else 10
    context = torch.randn(rows, tokens, WIDTH, generator=torch.Generator().manual_seed(3))
    return CrossAttentionInput(context, constant(0.9), split)


def split(selector: Any = None, **changes: Any) -> Split:
    """A hard split by a random mask, with a pair for each half."""
    chosen = selector or HardSelector(constant(0.5))
    numbers = {"foreground_scale": constant(0.7), "background_scale": constant(1.2), "merge": constant(0.3), **changes}
    return Split(SPLIT_MASK, selector=chosen, foreground_pair="foreground", background_pair="background", **numbers)
