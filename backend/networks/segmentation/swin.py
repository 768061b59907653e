"""Swin Transformer: attention inside windows, which every other block shifts by half a window.

Source: Z. Liu, Y. Lin, Y. Cao, H. Hu, Y. Wei, Z. Zhang, S. Lin, B. Guo, "Swin Transformer: Hierarchical Vision Transformer
using Shifted Windows", ICCV 2021.  Modules bear the names of the published weights.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PATCH = 4
"""Side of the patches that the first layer embeds as one token each, pixels."""
MASKED_LOGIT = -100.0
"""Added to the logits between tokens that are in one window only because the shift wraps around."""


@dataclass(frozen=True)
class StageSizes:
    """Of one stage."""

    depth: int
    """Number of blocks."""
    heads: int
    """Of each block's attention."""
    inner: int
    """Hidden channels of each block's feed-forward network."""


@dataclass(frozen=True)
class SwinSizes:
    """Of the whole network."""

    width: int
    """Channels of the first stage; each further stage has twice as many."""
    window: int
    """Side of a window, in tokens."""
    stages: tuple[StageSizes, ...]
    """From the finest to the coarsest."""


SWIN_LARGE = SwinSizes(
    192, 12, (StageSizes(2, 6, 768), StageSizes(2, 12, 1536), StageSizes(18, 24, 3072), StageSizes(2, 48, 6144))
)
"""The published size L."""


class WindowAttention(nn.Module):
    """Attention among the tokens of each window, with a learned bias for each relative position of two tokens."""

    def __init__(self, width: int, window: int, heads: int, shift: int) -> None:
        """shift: tokens by which the windows are shifted.  ValueError when the heads do not divide the width."""
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not divide {width} channels")
        self._window, self._heads, self._shift = window, heads, shift
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) to the same shape.  One row of windows at a time, because the logits of all need much memory."""
        _, height, width, _ = x.shape
        side, shift = self._window, self._shift
        x = F.pad(x, (0, 0, 0, -width % side, 0, -height % side))
        if shift:  # rolling the map instead of moving the windows; tokens that wrap around must not attend to the others
            x = x.roll((-shift, -shift), (1, 2))
        groups = shifted_window_groups(x.shape[1], x.shape[2], side, shift) if shift else None
        bias = self.relative_position_bias_table[relative_position_index(side).to(x.device)].permute(2, 0, 1)
        rows = [
            self._row(x[:, y : y + side], bias, None if groups is None else groups[y : y + side]) for y in _window_rows(x, side)
        ]
        x = torch.cat(rows, 1)
        if shift:
            x = x.roll((shift, shift), (1, 2))
        return x[:, :height, :width]

    def _row(self, x: Tensor, bias: Tensor, groups: Tensor | None) -> Tensor:
        """One row of windows (B, window, W, C).  groups: (window, W) of ``shifted_window_groups``, or None."""
        count, side, width, channels = x.shape
        windows = x.unflatten(2, (-1, side)).transpose(1, 2).reshape(-1, side * side, channels)
        q, k, v = self.qkv(windows).unflatten(2, (3, self._heads, -1)).permute(2, 0, 3, 1, 4)
        mask = bias[None]
        if groups is not None:
            by_window = groups.unflatten(1, (-1, side)).transpose(0, 1).flatten(1).to(x.device)
            apart = by_window[:, :, None] != by_window[:, None, :]
            mask = (bias + MASKED_LOGIT * apart[:, None].to(bias.dtype)).repeat(count, 1, 1, 1)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2)
        row = self.proj(attended).unflatten(0, (count, -1)).unflatten(2, (side, side))
        return row.transpose(1, 2).reshape(count, side, width, channels)


class FeedForward(nn.Module):
    """Two linear layers with a GELU between them."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) to the same shape."""
        return self.fc2(F.gelu(self.fc1(x)))


class SwinBlock(nn.Module):
    """Window attention and a feed-forward network, each with a residual connection."""

    def __init__(self, width: int, window: int, sizes: StageSizes, shift: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = WindowAttention(width, window, sizes.heads, shift)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = FeedForward(width, sizes.inner)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) to the same shape."""
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PatchMerging(nn.Module):
    """Merges each 2 x 2 tokens into one of twice the channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * width)
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) to (B, H / 2, W / 2, 2 C), sizes rounded up."""
        x = F.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        # In the published order, the rows of the first column first: the norm and the weights depend on it.
        four = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.reduction(self.norm(torch.cat(four, -1)))


class SwinStage(nn.Module):
    """Blocks of one width, and the downsampling to the next stage."""

    def __init__(self, width: int, window: int, sizes: StageSizes, last: bool) -> None:
        super().__init__()
        shifts = (index % 2 * (window // 2) for index in range(sizes.depth))
        self.blocks = nn.Sequential(*(SwinBlock(width, window, sizes, shift) for shift in shifts))
        self.downsample = nn.Identity() if last else PatchMerging(width)


class PatchEmbedding(nn.Module):
    """Embeds each patch of the image as a token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH, PATCH)
        self.norm = nn.LayerNorm(width)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, H / 4, W / 4, C), sizes rounded up."""
        image = F.pad(image, (0, -image.shape[3] % PATCH, 0, -image.shape[2] % PATCH))
        return self.norm(self.proj(image).permute(0, 2, 3, 1))


class Swin(nn.Module):
    """The network as a backbone, which returns the features of each stage."""

    def __init__(self, sizes: SwinSizes = SWIN_LARGE) -> None:
        """ValueError when heads do not divide a width."""
        super().__init__()
        widths = [sizes.width * 2**level for level in range(len(sizes.stages))]
        self.patch_embed = PatchEmbedding(sizes.width)
        self.layers = nn.ModuleList()
        for level, (width, stage) in enumerate(zip(widths, sizes.stages, strict=True)):
            self.layers.append(SwinStage(width, sizes.window, stage, level == len(widths) - 1))
            self.add_module(f"norm{level}", nn.LayerNorm(width))

    def forward(self, image: Tensor) -> list[Tensor]:
        """(B, C, H / 4, W / 4), (B, 2 C, H / 8, W / 8) and so on of (B, 3, H, W), each normalized."""
        x = self.patch_embed(image)
        features: list[Tensor] = []
        for level, stage in enumerate(self.layers):
            stage = cast(SwinStage, stage)
            x = stage.blocks(x)
            features.append(self.get_submodule(f"norm{level}")(x).permute(0, 3, 1, 2))
            x = stage.downsample(x)
        return features


def relative_position_index(window: int) -> Tensor:
    """(window², window²) int64: for each two tokens of a window, the row of the bias table for their relative position."""
    place = torch.arange(window)
    offset = place[:, None] - place + window - 1
    return (offset[:, None, :, None] * (2 * window - 1) + offset[None, :, None, :]).flatten(2).flatten(0, 1)


def shifted_window_groups(height: int, width: int, window: int, shift: int) -> Tensor:
    """(height, width) int64: tokens of one window with unlike numbers were no neighbors before the map was rolled."""

    def along_axis(length: int) -> Tensor:
        # Three groups: all but the last window, and the two parts of that one, before the seam and behind it.
        place = torch.arange(length)
        return (place >= length - window).long() + (place >= length - shift).long()

    return 3 * along_axis(height)[:, None] + along_axis(width)


def _window_rows(x: Tensor, side: int) -> range:
    return range(0, x.shape[1], side)
