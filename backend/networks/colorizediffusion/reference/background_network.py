"""XL-v2's network for backgrounds: what the self-attention of the main U-Net's decoder may see (spec XL 7.1 and 7.2)."""

from typing import Any, cast

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput
from backend.networks.colorizediffusion.forward_pass import ForwardPass
from backend.networks.colorizediffusion.hooks import UNetHooks
from backend.networks.colorizediffusion.time_embedding import embed_time
from backend.networks.colorizediffusion.transformer_blocks import install_processors, transformer_blocks


class BackgroundNetwork(nn.Module):
    """A U-Net without cross-attention that sees a background at time 0, with both masks in two more channels.

    ``unet`` loses its cross-attention, all of its last level but the first residual block, and its head.  Full size: 2012.6 M
    parameters.
    """

    def __init__(self, unet: UNet2DConditionModel) -> None:
        super().__init__()
        whole: Any = unet
        last = whole.up_blocks[-1]
        last.resnets = nn.ModuleList([last.resnets[0]])
        del whole.conv_norm_out, whole.conv_act, whole.conv_out
        for block in transformer_blocks(whole):  # diffusers builds no such U-Net without cross-attention
            cast(Any, block).attn2 = cast(Any, block).norm2 = None
        install_processors(whole, [])
        self.unet = whole

    def forward(self, latent: Tensor, vector: Tensor) -> dict[int, Tensor]:
        """Tokens (B, n, width) for the decoder's transformer blocks, by number, see ``ReferenceFeatures``.

        latent: (B, 6, h, w): the scaled latent of the background, the drawing's foreground, the reference's, 1 = foreground.
        vector: (B or 1, n), from ``embed_numbers``: which part of the background is used.
        """
        recorded: dict[int, Tensor] = {}
        time = embed_time(self.unet, len(latent), torch.zeros((), device=latent.device), vector.to(latent.device))
        nothing = CrossAttentionInput(latent.new_zeros(len(latent), 1, 1), (), None)
        forward_pass = ForwardPass(self.unet, time, nothing, UNetHooks(), recorded=recorded)
        skips = forward_pass.encode(latent.to(self.unet.conv_in.weight.dtype))
        forward_pass.decode(forward_pass.middle(skips[-1]), skips)
        first = len(transformer_blocks(self.unet)) - self._decoder_blocks()
        return {number: tokens for number, tokens in recorded.items() if number >= first}

    def _decoder_blocks(self) -> int:
        transformers = [one for block in self.unet.up_blocks for one in getattr(block, "attentions", ())]
        return sum(len(one.transformer_blocks) for one in transformers)
