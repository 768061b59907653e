"""The stage that trains v1.5 from v1: low-rank pairs for foreground and background, and the networks for background tokens.

See spec 21.3.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn
from torch.nn import functional as F

from backend.families.colorizediffusion.checkpoint.loader import Parts
from backend.families.colorizediffusion.conditioning import extra_part
from backend.families.colorizediffusion.versions import V1, V15
from backend.networks.colorizediffusion.attention_inputs import PROJECTIONS, Ranks
from backend.networks.colorizediffusion.hooks import UNetHooks
from backend.networks.colorizediffusion.reference.token_transformer import ThresholdEmbedder, TokenTransformer
from backend.networks.colorizediffusion.transformer_blocks import cross_attentions, low_rank_pairs
from backend.networks.colorizediffusion.unet import ReferenceUNet
from backend.training.colorizediffusion.batch import Batch
from backend.training.colorizediffusion.stages import stage_table
from backend.training.colorizediffusion.stages.frozen_unet import FrozenUNetNetwork
from backend.training.colorizediffusion.stages.stage import Stage, move_to_device_of

FOREGROUND_RANK, BACKGROUND_SHARE = 4, 0.5
"""Rank of the foreground's pairs; rank of the background's as a share of the smaller side of its weight matrix (spec 10)."""


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


def expand_v1_to_v15(parts: Parts) -> Parts:
    """v1's networks with new low-rank pairs, which add nothing yet, threshold embedder and token transformer.

    v1.5's networks are returned as they are.
    """
    if parts.version is V15:
        return parts
    plain = parts.unet.unwrap()
    unet = ReferenceUNet(plain, default_ranks(plain))
    width = int(cast(Any, plain).config.cross_attention_dim)
    return replace(
        parts,
        version=V15,
        unet=unet,
        extras={
            "threshold_embedder": ThresholdEmbedder(width),
            "token_transformer": TokenTransformer(width, head_dim=parts.config.token_head_dim),
        },
    )


class V15Network(FrozenUNetNetwork):
    """The networks that are trained.  Of the U-Net these are the low-rank pairs alone."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.pairs = low_rank_pairs(parts.unet.unet)
        self.threshold_embedder = extra_part(parts.extras, "threshold_embedder", ThresholdEmbedder)
        self.token_transformer = extra_part(parts.extras, "token_transformer", TokenTransformer)

    def forward(
        self,
        noisy: Tensor,
        time: Tensor,
        features: Mapping[str, Tensor],
        foreground: Tensor,
        background: Tensor,
        reference_kept: Tensor,
        thresholds: Tensor,
        mask: Tensor,
    ) -> Tensor:
        """Noisy latents (B, 4, h, w) -> the output of that shape.

        foreground, background: tokens (B, n, C) of the reference, and of the reference without its foreground.
        reference_kept: (B,) 0 where both are dropped.  thresholds: (B, 2), sketch and reference.
        mask: (B, 1, h, w), the sketch's, not clamped.
        """
        embedding = self.threshold_embedder(thresholds[:, 1]).to(background.dtype)
        background = self.token_transformer(background + embedding)
        context = torch.cat([foreground.to(background.dtype), background], 1) * reference_kept[:, None, None]
        # Each image has its own threshold.  Bicubic weights sum to 1, so it may be subtracted before the mask is resized
        return self.run_unet(noisy, time, context, UNetHooks(features), mask - thresholds[:, 0, None, None, None])


class V15Stage(Stage):
    """See ``engine.task.Task``."""

    info = stage_table.V15
    version = V15
    start_versions = (V1, V15)

    @classmethod
    def expand(cls, parts: Parts) -> Parts:
        """See ``Stage``.  A v1 start checkpoint gets new parts, a v1.5 checkpoint is taken as it is."""
        return expand_v1_to_v15(parts)

    @classmethod
    def build_network(cls, parts: Parts) -> nn.Module:
        """See ``Stage``."""
        return V15Network(parts)

    def predict(self, network: Any, batch: Batch, noisy: Tensor) -> Tensor:
        """Foreground tokens come from the whole reference, background tokens from it with its foreground made white."""
        is_background = batch.reference_mask < batch.thresholds[:, 1, None, None, None]
        whitened = torch.where(is_background, batch.reference, torch.ones_like(batch.reference))
        with torch.no_grad():
            features = move_to_device_of(self.parts.sketch_encoder, batch.sketch)(batch.sketch)
        return network(
            noisy,
            batch.time,
            features,
            self.encode_tokens(batch.reference, batch.warp),
            self.encode_tokens(whitened, batch.warp),
            batch.reference_kept,
            batch.thresholds,
            F.interpolate(batch.mask, scale_factor=1 / 8, mode="bicubic"),
        )
