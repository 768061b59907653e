"""v2's encoders of whole images: what the background and the style of a reference are (spec 12.1 and 12.2)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.embeddings import get_timestep_embedding
from torch import Tensor, nn

from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput
from backend.networks.colorizediffusion.forward_pass import ForwardPass
from backend.networks.colorizediffusion.hooks import UNetHooks
from backend.networks.colorizediffusion.time_embedding import embed_time
from backend.networks.colorizediffusion.transformer_blocks import cross_attentions, install_processors

SIZE_WAVES = 256
"""Sinusoids of each side's ratio."""


def embed_size(size: tuple[int, int], target: tuple[int, int]) -> Tensor:
    """(1, 512): how large an image of ``size`` (height, width) is against the ``target`` it is squashed to (spec 12.2).

    Images with a side below the target's count as larger than they are, so that their blur is not taken for their style.
    """
    height, width = float(size[0]), float(size[1])
    if size[0] < target[0] or size[1] < target[1]:
        larger = height + max(target)
        height, width = larger, width / height * larger
    return embed_numbers((height / target[0], width / target[1]), SIZE_WAVES)


def embed_numbers(numbers: Sequence[float], waves: int) -> Tensor:
    """(1, len(numbers) * waves): numbers of any range as sinusoids, cosines first (spec 12.2, XL 3.2)."""
    return get_timestep_embedding(torch.tensor(numbers), waves, flip_sin_to_cos=True, downscale_freq_shift=0).flatten()[None]


class ReferenceEncoder(nn.Module, ABC):
    """The down half of a U-Net, which sees a clean latent at time 0, with a head for each of its blocks.

    ``unet`` loses what comes after its encoder.  ``heads`` are in the order of its blocks.
    """

    def __init__(self, unet: UNet2DConditionModel, heads: nn.ModuleList) -> None:
        super().__init__()
        half: Any = unet
        half.mid_block, half.up_blocks = None, nn.ModuleList()
        del half.conv_norm_out, half.conv_act, half.conv_out
        install_processors(half, [{}] * len(cross_attentions(half)))
        self.unet = half
        self.checkpointing = False  # in training: less memory for more time
        self.heads = heads

    def forward(self, latent: Tensor, tokens: Tensor, size: Tensor) -> list[Tensor]:
        """What each decoder block of the main U-Net gets, the deepest first.

        latent: (B, 4, h, w), scaled, without noise.  tokens: (B, n, C).  size: (B, 512), from ``embed_size``.
        """
        blocks = len(cross_attentions(self.unet))
        time = embed_time(self.unet, len(latent), torch.zeros((), device=latent.device), size.to(latent.device))
        cross_attention = CrossAttentionInput(tokens, (1.0,) * blocks, None)
        forward_pass = ForwardPass(self.unet, time, cross_attention, UNetHooks(), self.checkpointing)
        outputs = forward_pass.encode(latent.to(self.unet.conv_in.weight.dtype))
        features = [self.apply_head(head, output) for head, output in zip(self.heads, outputs, strict=True)]
        return features[::-1]

    @staticmethod
    @abstractmethod
    def apply_head(head: nn.Module, output: Tensor) -> Tensor:
        """The feature that a head makes of its block's output (B, C, h, w)."""


class BackgroundEncoder(ReferenceEncoder):
    """Makes tokens (B, h w, C) for each decoder block.  Full size: 266.1 M parameters."""

    @staticmethod
    def apply_head(head: nn.Module, output: Tensor) -> Tensor:
        """Every position becomes a token; ``head`` is a 1 x 1 convolution."""
        return head(output).flatten(2).transpose(1, 2)


class StyleEncoder(ReferenceEncoder):
    """Makes one vector (B, 2 C) for each decoder block.  Full size: 277.0 M parameters."""

    @staticmethod
    def apply_head(head: nn.Module, output: Tensor) -> Tensor:
        """The mean over all positions; ``head`` is linear."""
        return head(output.mean(dim=(2, 3)))
