"""Which colour of the reference does each region of the drawing take?

One colour-free CNN reads the drawing and the reference's own pseudo-lines; its features are pooled over regions; a transformer
lets the drawing's regions look at each other and at the reference's; each then points at reference regions, and the
probabilities of regions that share a palette colour are added up.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.networks.layers import GroupNorm, ResidualBlock, attention

GEOMETRY = 14
"""Numbers that describe a region's place and shape; the first four are positions."""
PICTURE = 3
"""Input channels: lines (1 = ink), figure mask, 1 for a reference and 0 for a drawing."""


class Picture(NamedTuple):
    """A batch of pictures and their regions.

    picture: (B, 3, S, S).  pool: (B, N, (S/4)^2), each row the share of the region in each feature cell, summing to 1.
    geometry: (B, N, 14).  valid: (B, N) bool.
    """

    picture: Tensor
    pool: Tensor
    geometry: Tensor
    valid: Tensor


class Palette(NamedTuple):
    """The reference regions' colours: lab (B, M, 3) = Lab/50 with L shifted by -1; entry: (B, M) int64 < size."""

    lab: Tensor
    entry: Tensor
    size: int


class Answer(NamedTuple):
    """Log probabilities over palette colours, (B, N, K) each: of the whole network, and of the plain similarity alone."""

    log_prob: Tensor
    similarity: Tensor


class Eyes(nn.Module):
    """(B, 3, S, S) to features (B, out, S/4, S/4) and one summary vector a picture (B, widths[3])."""

    def __init__(self, widths: tuple[int, int, int, int], out: int) -> None:
        super().__init__()
        a, b, c, d = widths
        self.stem = nn.Conv2d(PICTURE, a, 3, 2, 1)
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

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        at4 = self.at4(self.down4(F.silu(self.stem(x))))
        at8 = self.at8(self.down8(F.silu(at4)))
        at16 = F.silu(self.at16(self.down16(F.silu(at8))))
        at8 = at8 + F.interpolate(self.up8(at16), scale_factor=2.0, mode="nearest")
        at8 = at8 + self.mix8(F.silu(at8))
        at4 = self.skip4(at4) + F.interpolate(self.up4(F.silu(at8)), scale_factor=2.0, mode="nearest")
        return self.norm(at4), at16.mean((2, 3))


class Block(nn.Module):
    """A pre-norm transformer block on region tokens; with ``cross`` it also looks at the reference's tokens."""

    def __init__(self, width: int, heads: int, cross: bool) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width) if cross else None
        self.query = nn.Linear(width, width) if cross else None
        self.key_value = nn.Linear(width, 2 * width) if cross else None
        self.cross_out = nn.Linear(width, width) if cross else None
        self.norm3 = nn.LayerNorm(width)
        self.wide, self.narrow = nn.Linear(width, 3 * width), nn.Linear(3 * width, width)

    def forward(self, x: Tensor, bias: Tensor, keys: Tensor | None = None, key_bias: Tensor | None = None) -> Tensor:
        """x: (B, N, width) and its bias, 0 or -1e4; keys: (B, M, width) of the reference and theirs."""
        q, k, v = self.qkv(self.norm1(x)).chunk(3, -1)
        x = x + self.out(attention(q, k, v, self.heads, bias))
        if self.norm2 and self.query and self.key_value and self.cross_out and keys is not None:
            k, v = self.key_value(keys).chunk(2, -1)
            x = x + self.cross_out(attention(self.query(self.norm2(x)), k, v, self.heads, key_bias))
        return x + self.narrow(F.gelu(self.wide(self.norm3(x))))


def _forbid(allowed: Tensor) -> Tensor:
    return torch.zeros(allowed.shape, device=allowed.device).masked_fill(~allowed, -1e4)


class Flats(nn.Module):
    """See the module's text.  width: of the tokens; layers, reference_layers: transformer depth."""

    def __init__(
        self,
        width: int = 192,
        heads: int = 6,
        layers: int = 4,
        reference_layers: int = 3,
        eyes: tuple[int, int, int, int] = (24, 48, 96, 160),
        features: int = 80,
        frequencies: int = 6,
        embedding: int = 128,
    ) -> None:
        super().__init__()
        self.width, self.frequencies = width, frequencies
        self.eyes = Eyes(eyes, features)
        place = GEOMETRY + 8 * frequencies
        self.drawing_in = nn.Sequential(nn.Linear(features + eyes[3] + place, width), nn.GELU(), nn.Linear(width, width))
        self.reference_in = nn.Sequential(nn.Linear(features + eyes[3] + place + 3, width), nn.GELU(), nn.Linear(width, width))
        self.reference_blocks = nn.ModuleList(Block(width, heads, cross=False) for _ in range(reference_layers))
        self.drawing_blocks = nn.ModuleList(Block(width, heads, cross=True) for _ in range(layers))
        self.drawing_norm, self.reference_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.point_query, self.point_key = nn.Linear(width, width), nn.Linear(width, width)
        self.prior = nn.Linear(width, 1)
        self.look = nn.Linear(features, embedding)
        self.look_place = nn.Linear(place, embedding, bias=False)
        self.sharpness = nn.Parameter(torch.tensor(6.0))
        self.place_weight = nn.Parameter(torch.tensor(0.7))

    def _place(self, geometry: Tensor) -> Tensor:
        frequency = (2.0 ** torch.arange(self.frequencies, device=geometry.device)) * (math.pi / 2)
        angle = (geometry[..., :4, None] * frequency).flatten(-2)
        return torch.cat([geometry, angle.sin(), angle.cos()], -1)

    def describe(self, pictures: Picture) -> tuple[Tensor, Tensor]:
        """What the CNN sees: features (B, N, features) pooled over each region, summary (B, N, eyes[3])."""
        features, summary = self.eyes(pictures.picture)
        pooled = pictures.pool.to(features.dtype) @ features.flatten(2).transpose(1, 2)
        return pooled.float(), summary.float()[:, None].expand(-1, pooled.shape[1], -1)

    def _embed(self, pooled: Tensor, place: Tensor) -> Tensor:
        look = self.look(F.layer_norm(pooled, pooled.shape[-1:])) + self.place_weight * self.look_place(place)
        return F.normalize(look.float(), dim=-1)

    def match(
        self,
        drawing: tuple[Tensor, Tensor, Tensor, Tensor],
        reference: tuple[Tensor, Tensor, Tensor, Tensor],
        palette: Palette,
        allowed: Tensor,
    ) -> Answer:
        """Point each region at the palette.

        drawing, reference: (pooled, summary, geometry, valid); those of several references are joined along the region axis.
        allowed: (B, N, M) bool, which reference regions a region may take its colour from.
        """
        pooled, summary, geometry, valid = drawing
        key_pooled, key_summary, key_geometry, key_valid = reference
        place, key_place = self._place(geometry), self._place(key_geometry)
        bias, key_bias = _forbid(valid)[:, None, None], _forbid(key_valid)[:, None, None]
        cross_bias = _forbid(allowed & key_valid[:, None])
        keys = self.reference_in(torch.cat([key_pooled, key_summary, key_place, palette.lab], -1))
        for block in self.reference_blocks:
            keys = block(keys, key_bias)
        keys = self.reference_norm(keys)
        x = self.drawing_in(torch.cat([pooled, summary, place], -1))
        for block in self.drawing_blocks:
            x = block(x, bias, keys, cross_bias[:, None])
        x = self.drawing_norm(x)
        similarity = self.sharpness * (self._embed(pooled, place) @ self._embed(key_pooled, key_place).transpose(1, 2))
        pointer = (self.point_query(x) @ self.point_key(keys).transpose(1, 2)).float() / math.sqrt(self.width)
        logits = similarity + pointer + self.prior(keys).transpose(1, 2).float() + cross_bias
        shared = F.one_hot(palette.entry, palette.size).float() * key_valid[..., None]
        with torch.autocast(logits.device.type, enabled=False):  # probabilities of 1e-3 matter here
            plain = (similarity.float() + cross_bias).softmax(-1) @ shared
            return Answer((logits.softmax(-1) @ shared).clamp_min(1e-9).log(), plain.clamp_min(1e-9).log())

    def forward(self, drawing: Picture, reference: Picture, palette: Palette, allowed: Tensor) -> Answer:
        """One drawing, one reference each; see ``match``."""
        pooled, summary = self.describe(drawing)
        key_pooled, key_summary = self.describe(reference)
        return self.match(
            (pooled, summary, drawing.geometry, drawing.valid),
            (key_pooled, key_summary, reference.geometry, reference.valid),
            palette,
            allowed,
        )
