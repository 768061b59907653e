"""The CNN of the flats network: a feature pyramid, and the attention between drawing and references at its coarsest level.

Attributes of modules are keys of the shipped weights, see ``flats``.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from backend.networks.mini.blocks import GroupNorm, ResidualBlock, SpatialAttention

IMAGE_CHANNELS = 3
"""Input channels: lines (1 = ink), foreground mask, and 1 for a reference or 0 for a drawing."""


class CrossImageAttention(nn.Module):
    """Self-attention in the drawing and in each reference, then cross-attention between them; at first the identity."""

    def __init__(self, channels: int, layers: int) -> None:
        super().__init__()
        self.colour = nn.Conv2d(12, channels, 1, bias=False)
        nn.init.zeros_(self.colour.weight)
        self.own = nn.ModuleList(SpatialAttention(channels, 4) for _ in range(layers))
        self.other = nn.ModuleList(SpatialAttention(channels, 4, channels) for _ in range(layers))
        self.think = nn.ModuleList(ResidualBlock(channels) for _ in range(layers))

    def forward(self, drawing: Tensor, references: Tensor, colors: Tensor) -> tuple[Tensor, Tensor]:
        """drawing: (B, C, h, w); references: (B R, C, h, w), and their colors (B R, 3, 2 h, 2 w); new features of both."""
        b, channels = drawing.shape[:2]
        r = references.shape[0] // b
        references = references + self.colour(F.pixel_unshuffle(colors, 2).to(references.dtype))
        for attend_self, attend_other, residual in zip(self.own, self.other, self.think, strict=True):
            drawing, references = attend_self(drawing), attend_self(references)
            # the drawing attends to all its references at once, each reference to the drawing
            drawing_tokens = drawing.flatten(2).transpose(1, 2)
            reference_tokens = references.flatten(2).transpose(1, 2).reshape(b, -1, channels)
            drawing, references = (
                residual(attend_other(drawing, reference_tokens)),
                residual(attend_other(references, drawing_tokens.repeat_interleave(r, 0))),
            )
        return drawing, references


class FeaturePyramid(nn.Module):
    """A feature pyramid: images (B, 3, S, S) down to 1/16 of the size, and up again after the cross-image attention."""

    def __init__(self, widths: tuple[int, int, int, int], out: int) -> None:
        super().__init__()
        a, b, c, d = widths
        self.stem = nn.Conv2d(IMAGE_CHANNELS, a, 3, 2, 1)
        self.down4 = nn.Conv2d(a, b, 3, 2, 1)
        self.at4 = ResidualBlock(b)
        self.down8 = nn.Conv2d(b, c, 3, 2, 1)
        self.at8 = ResidualBlock(c)
        self.down16 = nn.Conv2d(c, d, 3, 2, 1)
        self.at16 = nn.Sequential(ResidualBlock(d), ResidualBlock(d), ResidualBlock(d))
        self.up8 = nn.Conv2d(d, c, 1)
        self.mix8 = nn.Conv2d(c, c, 3, padding=1)
        self.up4 = nn.Conv2d(c, out, 1)
        self.skip4 = nn.Conv2d(b, out, 1)
        self.norm = GroupNorm(8, out)

    def down(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features at 1/4, 1/8 and 1/16 of the size."""
        at4 = self.at4(self.down4(F.silu(self.stem(x))))
        at8 = self.at8(self.down8(F.silu(at4)))
        return at4, at8, self.at16(self.down16(F.silu(at8)))

    def up(self, at4: Tensor, at8: Tensor, at16: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features (B, out, S/4, S/4), features at 1/8, and one summary vector for each image (B, widths[3])."""
        at16 = F.silu(at16)
        at8 = at8 + F.interpolate(self.up8(at16), scale_factor=2.0, mode="nearest")
        at8 = at8 + self.mix8(F.silu(at8))
        at4 = self.skip4(at4) + F.interpolate(self.up4(F.silu(at8)), scale_factor=2.0, mode="nearest")
        return self.norm(at4), at8, at16.mean((2, 3))
