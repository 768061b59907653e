"""Swin Transformer: attention inside windows that every other block moves by half a window.

Source: Z. Liu, Y. Lin, Y. Cao, H. Hu, Y. Wei, Z. Zhang, S. Lin, B. Guo, "Swin Transformer: Hierarchical Vision Transformer
using Shifted Windows", ICCV 2021.  Modules bear the names of the published weights.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PATCH = 4
"""Side of the patches that the first layer makes one token each."""
MASKED_LOGIT = -100.0
"""Added to the logits between tokens that only the rotation brought together."""


@dataclass(frozen=True)
class StageSizes:
    """One stage: blocks, heads of each, width inside their perceptrons."""

    depth: int
    heads: int
    inner: int


@dataclass(frozen=True)
class SwinSizes:
    """width: channels of the first stage; each further one has twice as many.  window: its side in tokens."""

    width: int
    window: int
    stages: tuple[StageSizes, ...]


SWIN_LARGE = SwinSizes(
    192, 12, (StageSizes(2, 6, 768), StageSizes(2, 12, 1536), StageSizes(18, 24, 3072), StageSizes(2, 48, 6144))
)
"""The published size L."""


class WindowAttention(nn.Module):
    """Attention among the tokens of each window, with a learned bias for each distance between two."""

    def __init__(self, width: int, window: int, heads: int, shift: int) -> None:
        """shift: tokens by which the windows are moved.  ValueError when the heads do not divide the width."""
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not divide {width} channels")
        self._window, self._heads, self._shift = window, heads, shift
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) to the same shape.  One row of windows at a time: the logits of all are large."""
        _, height, width, _ = x.shape
        side, shift = self._window, self._shift
        x = F.pad(x, (0, 0, 0, -width % side, 0, -height % side))
        if shift:
            x = x.roll((-shift, -shift), (1, 2))
        regions = shifted_window_groups(x.shape[1], x.shape[2], side, shift) if shift else None
        bias = self.relative_position_bias_table[relative_position_index(side).to(x.device)].permute(2, 0, 1)
        rows = [
            self._row(x[:, y : y + side], bias, None if regions is None else regions[y : y + side])
            for y in _window_rows(x, side)
        ]
        x = torch.cat(rows, 1)
        if shift:
            x = x.roll((shift, shift), (1, 2))
        return x[:, :height, :width]

    def _row(self, x: Tensor, bias: Tensor, regions: Tensor | None) -> Tensor:
        """One row of windows (B, window, W, C); regions: (window, W) or None."""
        count, side, width, channels = x.shape
        windows = x.unflatten(2, (-1, side)).transpose(1, 2).reshape(-1, side * side, channels)
        q, k, v = self.qkv(windows).unflatten(2, (3, self._heads, -1)).permute(2, 0, 3, 1, 4)
        mask = bias[None]
        if regions is not None:
            of_windows = regions.unflatten(1, (-1, side)).transpose(0, 1).flatten(1).to(x.device)
            apart = of_windows[:, :, None] != of_windows[:, None, :]
            mask = (bias + MASKED_LOGIT * apart[:, None].to(bias.dtype)).repeat(count, 1, 1, 1)
        heard = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2)
        row = self.proj(heard).unflatten(0, (count, -1)).unflatten(2, (side, side))
        return row.transpose(1, 2).reshape(count, side, width, channels)


class FeedForward(nn.Module):
    """Two linear layers with GELU between them."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) to the same shape."""
        return self.fc2(F.gelu(self.fc1(x)))


class SwinBlock(nn.Module):
    """Attention and a perceptron, each added to what went in."""

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
    """Each 2 x 2 tokens become one of twice the width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * width)
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) to (B, H / 2, W / 2, 2 C), sizes rounded up."""
        x = F.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        four = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.reduction(self.norm(torch.cat(four, -1)))


class SwinStage(nn.Module):
    """Blocks of one width, and what makes the next stage's input."""

    def __init__(self, width: int, window: int, sizes: StageSizes, last: bool) -> None:
        super().__init__()
        shifts = (index % 2 * (window // 2) for index in range(sizes.depth))
        self.blocks = nn.Sequential(*(SwinBlock(width, window, sizes, shift) for shift in shifts))
        self.downsample = nn.Identity() if last else PatchMerging(width)


class PatchEmbedding(nn.Module):
    """Each patch of the picture becomes a token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH, PATCH)
        self.norm = nn.LayerNorm(width)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, H / 4, W / 4, C), sizes rounded up."""
        picture = F.pad(picture, (0, -picture.shape[3] % PATCH, 0, -picture.shape[2] % PATCH))
        return self.norm(self.proj(picture).permute(0, 2, 3, 1))


class Swin(nn.Module):
    """The network as a backbone: it gives what each stage has seen."""

    def __init__(self, sizes: SwinSizes = SWIN_LARGE) -> None:
        """ValueError when heads do not divide a width."""
        super().__init__()
        widths = [sizes.width * 2**level for level in range(len(sizes.stages))]
        self.patch_embed = PatchEmbedding(sizes.width)
        self.layers = nn.ModuleList()
        for level, (width, stage) in enumerate(zip(widths, sizes.stages, strict=True)):
            self.layers.append(SwinStage(width, sizes.window, stage, level == len(widths) - 1))
            self.add_module(f"norm{level}", nn.LayerNorm(width))

    def forward(self, picture: Tensor) -> list[Tensor]:
        """(B, C, H / 4, W / 4), (B, 2 C, H / 8, W / 8) and so on of (B, 3, H, W), each normalized."""
        x = self.patch_embed(picture)
        seen: list[Tensor] = []
        for level, stage in enumerate(self.layers):
            stage = cast(SwinStage, stage)
            x = stage.blocks(x)
            seen.append(self.get_submodule(f"norm{level}")(x).permute(0, 3, 1, 2))
            x = stage.downsample(x)
        return seen


def relative_position_index(window: int) -> Tensor:
    """(window², window²) int64: for each two tokens of a window, the row of the bias table for how they lie to each other."""
    place = torch.arange(window)
    apart = place[:, None] - place + window - 1
    return (apart[:, None, :, None] * (2 * window - 1) + apart[None, :, None, :]).flatten(2).flatten(0, 1)


def shifted_window_groups(height: int, width: int, window: int, shift: int) -> Tensor:
    """(height, width) int64: tokens with unlike numbers were not neighbors before the map was rotated by ``shift``."""

    def along(length: int) -> Tensor:
        place = torch.arange(length)
        return (place >= length - window).long() + (place >= length - shift).long()

    return 3 * along(height)[:, None] + along(width)


def _window_rows(x: Tensor, side: int) -> range:
    return range(0, x.shape[1], side)
