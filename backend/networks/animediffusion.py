"""AnimeDiffusion's U-Net in pixel space: a noisy picture, lines and a bent reference in, the noise out (spec 2)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from diffusers.models.embeddings import TimestepEmbedding, get_timestep_embedding
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn

INPUT_CHANNELS, OUTPUT_CHANNELS = 3 + 1 + 3, 3
"""Channels: noisy picture, lines and reference; noise."""
MAX_PERIOD = 1000
"""Of the time embedding, where others have 10000."""
GROUPS, HEADS, EPSILON = 32, 4, 1e-5
BLOCKS_PER_LEVEL = 2
"""Residual blocks a level on the way down; on the way up one more where the next level is larger."""
DOWNSAMPLINGS = 3
"""How often the picture is halved: its sides are multiples of 2 ** HALVINGS."""


def embed_time(time: Tensor, width: int) -> Tensor:
    """Times (B,) as (B, width) sinusoids: cosines first, frequencies exp(-ln 1000 k / (width / 2))."""
    return get_timestep_embedding(time, width, flip_sin_to_cos=True, downscale_freq_shift=0, max_period=MAX_PERIOD)


class ResidualBlock(ResnetBlock2D):
    """A residual block that also works without a time, where diffusers' asks for one."""

    def __init__(self, inputs: int, outputs: int, time_width: int) -> None:
        super().__init__(in_channels=inputs, out_channels=outputs, temb_channels=time_width, groups=GROUPS, eps=EPSILON)

    def forward(self, x: Tensor, time: Tensor | None) -> Tensor:  # type: ignore[override]
        """(B, inputs, H, W) and embedded times (B, time_width) or None to (B, outputs, H, W)."""
        if time is not None:
            return super().forward(x, time)
        hidden = self.conv1(self.nonlinearity(self.norm1(x)))
        hidden = self.conv2(self.dropout(self.nonlinearity(self.norm2(hidden))))
        return (x if self.conv_shortcut is None else self.conv_shortcut(x)) + hidden


class BottleneckAttention(nn.Module):
    """Self-attention over all cells, added to what comes in without any projection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, width, EPSILON)
        self.qkv = nn.Conv1d(width, 3 * width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) to the same shape; the softmax is taken in float32."""
        count, width = x.shape[:2]
        cells = x.flatten(2)
        parts = self.qkv(self.norm(cells)).float().view(count, 3, HEADS, width // HEADS, -1).transpose(-1, -2)
        seen = F.scaled_dot_product_attention(parts[:, 0], parts[:, 1], parts[:, 2])
        return (cells + seen.transpose(-1, -2).reshape(cells.shape).to(x.dtype)).view(x.shape)


class AnimeUNet(nn.Module):
    """widths: of the four levels; the published ones are 64, 128, 256 and 512.  ValueError unless multiples of GROUPS."""

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
        """The noise (B, 3, H, W) in a noisy picture of that shape at times (B,); None: no time is added anywhere.

        lines: (B, 1, H, W), paper +1.  reference: (B, 3, H, W).  All in -1..1; sides are multiples of 8.
        """
        embedding = None if time is None else self.time_embedding(embed_time(time, self.width).to(noisy.dtype))
        x = self.conv_in(torch.cat([noisy, lines, reference], 1))
        skips: list[Tensor] = []
        for level, blocks in enumerate(self.encoder):
            if level:
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
    """The blocks by level, and the widths of the skips; what conv_in makes is no skip."""
    levels, skips = nn.ModuleList(), list[int]()
    for level, (before, width) in enumerate(pairwise([widths[0], *widths])):
        skips += [before] * (level > 0) + [width] * BLOCKS_PER_LEVEL
        levels.append(nn.ModuleList(ResidualBlock(width if i else before, width, time_width) for i in range(BLOCKS_PER_LEVEL)))
    return levels, skips


def _build_decoder(widths: Sequence[int], skips: Sequence[int], time_width: int) -> nn.ModuleList:
    """The blocks by level, the smallest pictures first."""
    left, x = list(skips), widths[-1]
    levels = nn.ModuleList()
    for level, width in reversed(list(enumerate(widths))):
        blocks = nn.ModuleList()
        for _ in range(BLOCKS_PER_LEVEL + (level > 0)):
            blocks.append(ResidualBlock(x + left.pop(), width, time_width))
            x = width
        levels.append(blocks)
    return levels
