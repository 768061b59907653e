"""The U-Net that colors a sketch by a reference: diffusers' blocks, with sketch features and attention as arguments."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from backend.networks.colorizediffusion.attention import SplitAttention
from backend.networks.colorizediffusion.attention_inputs import CachedKeyValues, CrossAttentionInput, Ranks
from backend.networks.colorizediffusion.forward_pass import ForwardPass
from backend.networks.colorizediffusion.hooks import UNetHooks
from backend.networks.colorizediffusion.time_embedding import embed_time
from backend.networks.colorizediffusion.transformer_blocks import cross_attentions, install_processors, restore_processors

NO_HOOKS = UNetHooks()


class ReferenceUNet(nn.Module):
    """A U-Net whose cross-attention sees reference tokens, and which takes hooks with every call.

    Widths, levels and blocks are those of the wrapped network.  ``ranks`` are the low-rank pairs of each cross-attention
    layer, empty where it has none.
    """

    def __init__(self, unet: UNet2DConditionModel, ranks: Sequence[Ranks] | None = None) -> None:
        super().__init__()
        self.unet = unet
        self.checkpointing = False  # in training: less memory for a third more time
        layers = len(cross_attentions(unet))
        self._before = install_processors(unet, ranks if ranks is not None else [{}] * layers)

    def unwrap(self) -> UNet2DConditionModel:
        """The plain U-Net, as it was before; this object is of no more use."""
        restore_processors(self.unet, self._before)
        return self.unet

    def prepare(self, cross_attention: CrossAttentionInput) -> CachedKeyValues:
        """Compute what stays the same for all steps of one image.  Waits for the device once, to find the zero rows."""
        context = cross_attention.context
        zero = (context == 0).flatten(1).all(dim=1)
        rows = torch.nonzero(~zero).flatten() if bool(zero.any()) else None
        context = context if rows is None else context[rows]
        keys = tuple(
            cast(SplitAttention, attn.processor).keys(attn, context, cross_attention.split)
            for attn in cross_attentions(self.unet)
        )
        return CachedKeyValues(keys, rows, cross_attention.strength, cross_attention.split)

    def encode_reference(
        self,
        latent: Tensor,
        timestep: Tensor,
        cross_attention: CrossAttentionInput | CachedKeyValues,
        hooks: UNetHooks = NO_HOOKS,
        vector: Tensor | None = None,
    ) -> dict[int, Tensor]:
        """The tokens of ``ReferenceFeatures``: every block's normalized self-attention input (B, n, width) by its number.

        The arguments are those of ``forward``; ``latent`` is the reference's, noised or not.  The network's head is not used.
        """
        recorded: dict[int, Tensor] = {}
        time = embed_time(self.unet, len(latent), timestep, vector)
        self._decoded(latent, ForwardPass(self.unet, time, cross_attention, hooks, recorded=recorded))
        return recorded

    def forward(
        self,
        latent: Tensor,
        timestep: Tensor,
        cross_attention: CrossAttentionInput | CachedKeyValues,
        hooks: UNetHooks = NO_HOOKS,
        vector: Tensor | None = None,
    ) -> Tensor:
        """The network's output (B, 4, h, w) for a noisy latent (B, 4, h, w) at time step () or (B,), whole or fractional.

        ``vector`` (B or 1, n) is embedded and added to the time embedding; a network that was built for one (diffusers'
        ``class_embed_type="projection"``, as SDXL's sizes) must get it, any other must not: ValueError.
        """
        time = embed_time(self.unet, len(latent), timestep, vector)
        x = self._decoded(latent, ForwardPass(self.unet, time, cross_attention, hooks, self.checkpointing))
        unet = cast(Any, self.unet)
        # The head may have a wider number format than the blocks.
        x = unet.conv_norm_out(x.to(unet.conv_norm_out.weight.dtype))
        return unet.conv_out(unet.conv_act(x)).to(latent.dtype)

    def _decoded(self, latent: Tensor, forward_pass: ForwardPass) -> Tensor:
        skips = forward_pass.encode(latent.to(cast(Any, self.unet).conv_in.weight.dtype))
        return forward_pass.decode(forward_pass.middle(skips[-1]), skips)
