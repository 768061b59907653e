"""AnimeDiffusion's U-Net in pixel space: a noisy image, lines and a warped reference in, the noise out (spec 2)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from diffusers.models.embeddings import TimestepEmbedding, get_timestep_embedding
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn

INPUT_CHANNELS, OUTPUT_CHANNELS = 3 + 1 + 3, 3
"""Channels: noisy image, lines and reference; noise."""
MAX_PERIOD = 1000
"""Of the sinusoids of the time embedding, where other networks have 10000."""
GROUPS, HEADS, EPSILON = 32, 4, 1e-5
"""Groups of the normalizations, heads of the attention, epsilon of the normalizations."""
BLOCKS_PER_LEVEL = 2
"""Residual blocks per level of the encoder; the decoder has one more in every level but the finest."""


def embed_time(time: Tensor, width: int) -> Tensor:
    """The sinusoidal embedding (B, width) of times (B,): cosines first, frequencies exp(-ln 1000 k / (width / 2))."""
    return get_timestep_embedding(time, width, flip_sin_to_cos=True, downscale_freq_shift=0, max_period=MAX_PERIOD)


class ResidualBlock(ResnetBlock2D):
    """diffusers' residual block, which also works without a time here."""

    def __init__(self, inputs: int, outputs: int, time_width: int) -> None:
        super().__init__(in_channels=inputs, out_channels=outputs, temb_channels=time_width, groups=GROUPS, eps=EPSILON)

    def forward(self, x: Tensor, time: Tensor | None) -> Tensor:  # type: ignore[override]
        """(B, inputs, H, W) and embedded times (B, time_width) or None to (B, outputs, H, W)."""
        if time is not None:
            return super().forward(x, time)
        # The parent's own steps without the time embedding, which its forward requires.
        hidden = self.conv1(self.nonlinearity(self.norm1(x)))
        hidden = self.conv2(self.dropout(self.nonlinearity(self.norm2(hidden))))
        return (x if self.conv_shortcut is None else self.conv_shortcut(x)) + hidden


class BottleneckAttention(nn.Module):
    """Self-attention over all positions; its output is added to the input without a projection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, width, EPSILON)
        self.qkv = nn.Conv1d(width, 3 * width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) to the same shape; the softmax is taken in float32."""
        count, width = x.shape[:2]
        positions = x.flatten(2)
        parts = self.qkv(self.norm(positions)).float().view(count, 3, HEADS, width // HEADS, -1).transpose(-1, -2)
        attended = F.scaled_dot_product_attention(parts[:, 0], parts[:, 1], parts[:, 2])
        return (positions + attended.transpose(-1, -2).reshape(positions.shape).to(x.dtype)).view(x.shape)


class AnimeUNet(nn.Module):
    """The U-Net.  widths: channels of the four levels, the published ones by default; ValueError unless multiples of GROUPS."""

    def __init__(self, widths: Sequence[int] = (64, 128, 256, 512)) -> None:
        super().__init__()
        first, last = widths[0], widths[-1]
        time_width = 4 * first
        self.width = first
        self.time_embedding = TimestepEmbedding(first, time_width)
        self.conv_in = nn.Conv2d(INPUT_CHANNELS, first, 1)
        self.encoder, skips = _build_encoder(widths, time_width)
        self.middle = nn.ModuleList(
            [ResidualBlock(last, last, time_width), BottleneckAttention(last), ResidualBlock(last, last, time_width)]
        )
        self.decoder = _build_decoder(widths, skips, time_width)
        self.norm_out = nn.GroupNorm(GROUPS, first, EPSILON)
        self.conv_out = nn.Conv2d(first, OUTPUT_CHANNELS, 1)

    def forward(self, noisy: Tensor, lines: Tensor, reference: Tensor, time: Tensor | None) -> Tensor:
        """The noise (B, 3, H, W) in noisy images of that shape at times (B,); None: no time embedding is added.

        lines: (B, 1, H, W), paper +1.  reference: (B, 3, H, W).  All in -1..1; sides are multiples of 8.
        """
        embedding = None if time is None else self.time_embedding(embed_time(time, self.width).to(noisy.dtype))
        x = self.conv_in(torch.cat([noisy, lines, reference], 1))
        skips: list[Tensor] = []
        for level, blocks in enumerate(self.encoder):
            if level:  # the pooled features are a skip of their own; the output of conv_in is none
                x = F.avg_pool2d(x, 2)
                skips.append(x)
            for block in blocks:  # type: ignore[attr-defined]
                x = block(x, embedding)
                skips.append(x)
        x = self.middle[2](self.middle[1](self.middle[0](x, embedding)), embedding)
        for level, blocks in enumerate(self.decoder):
            if level:
                x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            for block in blocks:  # type: ignore[attr-defined]
                x = block(torch.cat([x, skips.pop()], 1), embedding)
        return self.conv_out(F.silu(self.norm_out(x)))


def _build_encoder(widths: Sequence[int], time_width: int) -> tuple[nn.ModuleList, list[int]]:
    """The blocks by level, and the channels of the skips; the output of conv_in is not one of them."""
    levels, skips = nn.ModuleList(), list[int]()
    for level, (before, width) in enumerate(pairwise([widths[0], *widths])):
        # a level below the first starts with a skip of pooled features, as wide as the level before
        skips += [before] * (level > 0) + [width] * BLOCKS_PER_LEVEL
        levels.append(nn.ModuleList(ResidualBlock(width if i else before, width, time_width) for i in range(BLOCKS_PER_LEVEL)))
    return levels, skips


def _build_decoder(widths: Sequence[int], skips: Sequence[int], time_width: int) -> nn.ModuleList:
    """The blocks by level, the coarsest first; each takes the last skip that is left beside its input."""
    unused, channels = list(skips), widths[-1]
    levels = nn.ModuleList()
    for level, width in reversed(list(enumerate(widths))):
        blocks = nn.ModuleList()
        for _ in range(BLOCKS_PER_LEVEL + (level > 0)):
            blocks.append(ResidualBlock(channels + unused.pop(), width, time_width))
            channels = width
        levels.append(blocks)
    return levels
