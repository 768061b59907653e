"""The stage that makes v1.5 of v1: low-rank pairs for figure and ground, and what makes background tokens (spec 21.3)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn
from torch.nn import functional as F

from backend.families.colorizediffusion.loader import Parts
from backend.families.colorizediffusion.network_configs import read_config
from backend.networks.colorizediffusion.attention import SplitAttention
from backend.networks.colorizediffusion.attention_inputs import PROJECTIONS, CrossAttentionInput, Ranks, Split
from backend.networks.colorizediffusion.half_selectors import HardSelector
from backend.networks.colorizediffusion.hooks import UNetHooks
from backend.networks.colorizediffusion.token_transformer import ThresholdEmbedder, TokenTransformer
from backend.networks.colorizediffusion.transformer_blocks import cross_attentions
from backend.networks.colorizediffusion.unet import ReferenceUNet
from backend.training.colorizediffusion.batch import Batch
from backend.training.colorizediffusion.stage import FULL_STRENGTH, Stage, move_to_device_of

FOREGROUND_RANK, BACKGROUND_SHARE = 4, 0.5
"""Rank of the figure's pairs; rank of the ground's as a share of the smaller side of what they add to (spec 10)."""
ZERO_STRENGTH = (0.0,) * len(FULL_STRENGTH)


def default_ranks(unet: UNet2DConditionModel) -> list[Ranks]:
    """The published ranks for each cross-attention layer."""
    layers: list[Ranks] = []
    for attn in cross_attentions(unet):
        linears = {name: cast(nn.Linear, getattr(attn, name)) for name in PROJECTIONS}
        smaller = {name: min(linear.in_features, linear.out_features) for name, linear in linears.items()}
        layers.append(
            {name: {"foreground": FOREGROUND_RANK, "background": int(BACKGROUND_SHARE * smaller[name])} for name in PROJECTIONS}
        )
    return layers


def expand_v1_to_v15(parts: Parts, token_head_dim: int) -> Parts:
    """v1's networks with fresh pairs that add nothing yet, threshold embedder and token transformer; v1.5's as they are."""
    if parts.version == "v1.5":
        return parts
    plain = parts.unet.unwrap()
    unet = ReferenceUNet(plain, default_ranks(plain))
    width = int(cast(Any, plain).config.cross_attention_dim)
    return replace(
        parts,
        version="v1.5",
        unet=unet,
        threshold_embedder=ThresholdEmbedder(width),
        token_transformer=TokenTransformer(width, head_dim=token_head_dim),
    )


class V15Network(nn.Module):
    """What is trained; the U-Net that holds the pairs is not, but for them."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        assert parts.threshold_embedder is not None and parts.token_transformer is not None
        attentions = cross_attentions(parts.unet.unet)
        self.pairs = nn.ModuleList(cast(SplitAttention, attn.processor).pairs for attn in attentions)
        self.threshold_embedder, self.token_transformer = parts.threshold_embedder, parts.token_transformer
        self._unet = (parts.unet,)  # in a tuple, so that it is no part of what is trained, averaged and saved

    def forward(
        self,
        noisy: Tensor,
        time: Tensor,
        features: Mapping[str, Tensor],
        figure: Tensor,
        ground: Tensor,
        seen: Tensor,
        thresholds: Tensor,
        mask: Tensor,
    ) -> Tensor:
        """Noisy latents (B, 4, h, w) -> the output of that shape.

        figure, ground: tokens (B, n, C) of the reference and of what it shows without its figure.  seen: (B,) 0 where both are
        withheld.  thresholds: (B, 2), sketch and reference.  mask: (B, 1, h, w), the sketch's, not clamped.
        """
        background = self.token_transformer(ground + self.threshold_embedder(thresholds[:, 1]).to(ground.dtype))
        context = torch.cat([figure.to(background.dtype), background], 1) * seen[:, None, None]
        # Each picture has a threshold of its own: bicubic weights sum to 1, so it can be taken off before the mask is scaled.
        lowered = mask - thresholds[:, 0, None, None, None]
        split = Split(
            lowered, FULL_STRENGTH, FULL_STRENGTH, ZERO_STRENGTH, HardSelector(ZERO_STRENGTH), "foreground", "background"
        )
        unet = move_to_device_of(self._unet[0], noisy)
        return unet(noisy, time, CrossAttentionInput(context, FULL_STRENGTH, split), UNetHooks(features))


class V15Stage(Stage):
    """See ``trainer.Task``."""

    start_versions = ("v1", "v1.5")

    def network(self) -> V15Network:
        """Of a v1 checkpoint with everything new at its beginning, or of a v1.5 checkpoint as it is."""
        self._parts = expand_v1_to_v15(self.load_start(), read_config(self.start.path).token_head_dim)
        self._parts.unet.checkpointing = self.start.gradient_checkpointing
        network = V15Network(self._parts)
        return network.requires_grad_(True).train()

    def predict(self, network: Any, batch: Batch, noisy: Tensor) -> Tensor:
        """Figure tokens of the whole reference, ground tokens of the reference with its figure painted white."""
        seen_as_ground = batch.reference_mask < batch.thresholds[:, 1, None, None, None]
        bleached = torch.where(seen_as_ground, batch.reference, torch.ones_like(batch.reference))
        with torch.no_grad():
            features = move_to_device_of(self.parts.sketch_encoder, batch.sketch)(batch.sketch)
        return network(
            noisy,
            batch.time,
            features,
            self.encode_tokens(batch.reference, batch.warp),
            self.encode_tokens(bleached, batch.warp),
            batch.reference_kept,
            batch.thresholds,
            F.interpolate(batch.mask, scale_factor=1 / 8, mode="bicubic"),
        )
