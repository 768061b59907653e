"""A small U-Net that segments the foreground of drawings and references."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.networks.mini.blocks import ResidualBlock, SpatialAttention


class ForegroundUNet(nn.Module):
    """Foreground mask of a drawing, or of a color image with the lines that were extracted from it.

    The attribute ``look`` (spatial attention) is a key of the shipped weights.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (24, 40, 64, 96)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.stem = nn.Conv2d(16 + 12 + 1, a, 3, padding=1)
        self.at4 = ResidualBlock(a)
        self.down8, self.at8 = nn.Conv2d(a, b, 3, 2, 1), ResidualBlock(b)
        self.down16, self.at16 = nn.Conv2d(b, c, 3, 2, 1), ResidualBlock(c)
        self.down32 = nn.Conv2d(c, d, 3, 2, 1)
        self.at32 = nn.ModuleList([ResidualBlock(d), ResidualBlock(d)])
        self.look = nn.ModuleList([SpatialAttention(d, 4), SpatialAttention(d, 4)])
        self.up16, self.out16 = nn.Conv2d(d, c, 1), ResidualBlock(c)
        self.up8, self.out8 = nn.Conv2d(c, b, 1), ResidualBlock(b)
        self.up4, self.out4 = nn.Conv2d(b, a, 1), ResidualBlock(a)
        self.out = nn.Conv2d(a, 16, 3, padding=1)

    def forward(self, lines: Tensor, rgb: Tensor, colored: Tensor) -> Tensor:
        """Logits (B, 1, S, S), above 0 = foreground.

        lines: (B, 1, S, S), 1 = ink, S a multiple of 32.  rgb: (B, 3, S/2, S/2) 0..1, ignored where colored (B,) is 0.
        """
        # the stem works at a quarter of the size: pixels become channels, so fine lines are not averaged away
        flag = colored[:, None, None, None]
        color = F.pixel_unshuffle((rgb * 2 - 1) * flag, 2)
        x = torch.cat([F.pixel_unshuffle(lines, 4), color, flag.expand(-1, 1, *color.shape[2:])], 1)
        at4 = self.at4(self.stem(x.contiguous(memory_format=torch.channels_last)))
        at8 = self.at8(self.down8(F.silu(at4)))
        at16 = self.at16(self.down16(F.silu(at8)))
        hidden = self.down32(F.silu(at16))
        for block, attend in zip(self.at32, self.look, strict=True):
            hidden = attend(block(hidden))
        hidden = self.out16(at16 + F.interpolate(self.up16(hidden), scale_factor=2.0, mode="nearest"))
        hidden = self.out8(at8 + F.interpolate(self.up8(hidden), scale_factor=2.0, mode="nearest"))
        hidden = self.out4(at4 + F.interpolate(self.up4(hidden), scale_factor=2.0, mode="nearest"))
        return F.pixel_shuffle(self.out(F.silu(hidden)).float(), 4)
