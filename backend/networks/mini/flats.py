"""Which color of the reference does each region of the drawing take?

One color-free CNN reads the drawing and the reference's own pseudo-lines, and in the middle of it the two look at each other.
Two answers come of its features and are multiplied.  By place: every cell of the drawing points at cells of the reference, and
a region hears what its cells found.  By region: features are pooled over regions, a transformer lets the drawing's regions look
at each other and at the reference's, and each points at reference regions; the probabilities of regions that share a palette
color are added up.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.networks.mini.blocks import GroupNorm, ResidualBlock, SpatialAttention, TransformerBlock

GEOMETRY_FEATURES = 14
"""Numbers that describe a region's place and shape; the first four are positions."""
IMAGE_CHANNELS = 3
"""Input channels: lines (1 = ink), figure mask, 1 for a reference and 0 for a drawing."""
CELLS = 32
"""Places are compared on a grid of CELLS x CELLS."""
VOTE_FLOOR = 1e-3
"""Share of every palette color in what a place says, so that a wrong place can be overruled."""


class ImageBatch(NamedTuple):
    """A batch of pictures and their regions; of several references to a drawing, one after the other.

    picture: (B, 3, S, S).  pool: (B, N, (S/4)^2), each row the share of the region in each feature cell, summing to 1.
    geometry: (B, N, 14).  valid: (B, N) bool.
    """

    image: Tensor
    pool: Tensor
    geometry: Tensor
    valid: Tensor


class Palette(NamedTuple):
    """The references' colors; M regions and L = R CELLS^2 cells of all R references in a row.

    lab: (B, M, 3) = Lab/50 with L shifted by -1, of each region; entry: (B, M) int64 < size, its palette color.
    cells: (B R, 3, CELLS, CELLS), the same units, of each cell; shares: (B, L, size), the share of each palette color in
    each cell; sides: (B, L, 2), how much a cell may give to ground (0) and to figure (1), 0..1.
    """

    lab: Tensor
    entry: Tensor
    size: int
    cells: Tensor
    shares: Tensor
    layer_weights: Tensor


class FlatsOutput(NamedTuple):
    """What the network says.

    log_prob, similarity, place: log probabilities over palette colors, (B, N, K) each: of the whole network, of the plain
    similarity of regions, and of the places alone.  pointing: (B, CELLS^2, L) probabilities, which cell of the references each
    cell of the drawing takes after.  tokens: (B, N, width), what the network knows of each region.
    """

    log_prob: Tensor
    similarity: Tensor
    votes: Tensor
    correspondence: Tensor
    tokens: Tensor


class CrossImageAttention(nn.Module):
    """Drawing and references look at themselves and at each other, at 1/16 of the size; starts as the identity."""

    def __init__(self, channels: int, layers: int) -> None:
        super().__init__()
        self.colour = nn.Conv2d(12, channels, 1, bias=False)
        nn.init.zeros_(self.colour.weight)
        self.own = nn.ModuleList(SpatialAttention(channels, 4) for _ in range(layers))
        self.other = nn.ModuleList(SpatialAttention(channels, 4, channels) for _ in range(layers))
        self.think = nn.ModuleList(ResidualBlock(channels) for _ in range(layers))

    def forward(self, drawing: Tensor, references: Tensor, colors: Tensor) -> tuple[Tensor, Tensor]:
        """drawing: (B, C, h, w); references: (B R, C, h, w) and their colors (B R, 3, 2 h, 2 w); the first two, changed."""
        b, channels = drawing.shape[:2]
        r = references.shape[0] // b
        references = references + self.colour(F.pixel_unshuffle(colors, 2).to(references.dtype))
        for own, other, think in zip(self.own, self.other, self.think, strict=True):
            drawing, references = own(drawing), own(references)
            here = drawing.flatten(2).transpose(1, 2)
            there = references.flatten(2).transpose(1, 2).reshape(b, -1, channels)
            drawing, references = (
                think(other(drawing, there)),
                think(other(references, here.repeat_interleave(r, 0))),
            )
        return drawing, references


class FeaturePyramid(nn.Module):
    """The CNN: pictures (B, 3, S, S) down to 1/16, and up again after the meeting."""

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
        """Features (B, out, S/4, S/4), those at 1/8, and one summary vector a picture (B, widths[3])."""
        at16 = F.silu(at16)
        at8 = at8 + F.interpolate(self.up8(at16), scale_factor=2.0, mode="nearest")
        at8 = at8 + self.mix8(F.silu(at8))
        at4 = self.skip4(at4) + F.interpolate(self.up4(F.silu(at8)), scale_factor=2.0, mode="nearest")
        return self.norm(at4), at8, at16.mean((2, 3))


class EncodedImages(NamedTuple):
    """What the CNN says of a batch of pictures.

    pooled: (B, N, features) over each region.  summary: (B, N, widths[3]).  cells: (B, CELLS^2, widths[2]).
    """

    pooled: Tensor
    summary: Tensor
    cells: Tensor


def _forbid(allowed: Tensor) -> Tensor:
    return torch.zeros(allowed.shape, device=allowed.device).masked_fill(~allowed, -1e4)


class Flats(nn.Module):
    """See the module's text.  width: of the tokens; layers, reference_layers, meetings: depth; sight: of the cells' keys."""

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
        meetings: int = 3,
        sight: int = 64,
    ) -> None:
        super().__init__()
        self.width, self.frequencies = width, frequencies
        self.eyes = FeaturePyramid(eyes, features)
        self.meeting = CrossImageAttention(eyes[3], meetings)
        place = GEOMETRY_FEATURES + 8 * frequencies
        self.drawing_in = nn.Sequential(nn.Linear(features + eyes[3] + place, width), nn.GELU(), nn.Linear(width, width))
        self.reference_in = nn.Sequential(nn.Linear(features + eyes[3] + place + 3, width), nn.GELU(), nn.Linear(width, width))
        self.reference_blocks = nn.ModuleList(TransformerBlock(width, heads, cross=False) for _ in range(reference_layers))
        self.drawing_blocks = nn.ModuleList(TransformerBlock(width, heads, cross=True) for _ in range(layers))
        self.drawing_norm, self.reference_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.point_query, self.point_key = nn.Linear(width, width), nn.Linear(width, width)
        self.prior = nn.Linear(width, 1)
        self.look = nn.Linear(features, embedding)
        self.look_place = nn.Linear(place, embedding, bias=False)
        self.sharpness = nn.Parameter(torch.tensor(6.0))
        self.place_weight = nn.Parameter(torch.tensor(0.7))
        self.sight = nn.Linear(eyes[2], sight)
        self.sight_sharpness = nn.Parameter(torch.tensor(8.0))
        self.hear = nn.Linear(5, width)
        self.trust = nn.Linear(width, 1)
        for layer in (self.hear, self.trust):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def _place(self, geometry: Tensor) -> Tensor:
        frequency = (2.0 ** torch.arange(self.frequencies, device=geometry.device)) * (math.pi / 2)
        angle = (geometry[..., :4, None] * frequency).flatten(-2)
        return torch.cat([geometry, angle.sin(), angle.cos()], -1)

    def _encode(self, drawing: ImageBatch, references: ImageBatch, colors: Tensor) -> tuple[EncodedImages, EncodedImages]:
        """Both kinds of pictures through the CNN; colors: ``Palette.cells``.  A drawing's references end up in one row."""
        b = drawing.image.shape[0]
        fine, middle, coarse = self.eyes.down(torch.cat([drawing.image, references.image]))
        met = torch.cat(self.meeting(coarse[:b], coarse[b:], colors))
        features, middle, summary = self.eyes.up(fine, middle, met)
        cells = middle.flatten(2).transpose(1, 2)

        def seen(part: slice, picture: ImageBatch) -> EncodedImages:
            flat = features[part].flatten(2).transpose(1, 2)
            pooled = (picture.pool.to(flat.dtype) @ flat).float()
            spread = summary[part].float()[:, None].expand(-1, pooled.shape[1], -1)
            return EncodedImages(*(t.reshape(b, -1, t.shape[-1]) for t in (pooled, spread, cells[part])))

        return seen(slice(b), drawing), seen(slice(b, None), references)

    def _point(self, drawing: Tensor, references: Tensor, figure: Tensor, sides: Tensor) -> Tensor:
        """(B, CELLS^2, L) which cell takes after which; features of both, figure: (B, CELLS^2), sides: ``Palette.sides``."""
        query, key = (F.normalize(self.sight(x).float(), dim=-1) for x in (drawing, references))
        logits = (self.sight_sharpness.clamp(1, 40) * query) @ key.transpose(1, 2)
        both = torch.stack([1 - figure, figure], -1) @ sides.transpose(1, 2)
        return (logits.float() + (both.float() + 0.02).log()).softmax(-1)

    def _embed(self, pooled: Tensor, place: Tensor) -> Tensor:
        look = self.look(F.layer_norm(pooled, pooled.shape[-1:])) + self.place_weight * self.look_place(place)
        return F.normalize(look.float(), dim=-1)

    def forward(self, drawing: ImageBatch, references: ImageBatch, palette: Palette, allowed: Tensor) -> FlatsOutput:
        """Point each region at the palette.

        references: R to each drawing, one after the other, of M / R regions each (padded).  allowed: (B, N, M) bool, which
        reference regions a region may take its color from.
        """
        b = drawing.image.shape[0]
        here, there = self._encode(drawing, references, palette.cells)
        key_geometry = references.geometry.reshape(b, -1, GEOMETRY_FEATURES)
        key_valid = references.valid.reshape(b, -1)
        figure = F.interpolate(drawing.image[:, 1:2], size=(CELLS, CELLS), mode="area").flatten(1)
        pointing = self._point(here.cells, there.cells, figure, palette.layer_weights)
        heard, by_place = _gather_votes(drawing.pool, pointing, palette)
        place, key_place = self._place(drawing.geometry), self._place(key_geometry)
        bias, key_bias = _forbid(drawing.valid)[:, None, None], _forbid(key_valid)[:, None, None]
        cross_bias = _forbid(allowed & key_valid[:, None])
        keys = self.reference_in(torch.cat([there.pooled, there.summary, key_place, palette.lab], -1))
        for block in self.reference_blocks:
            keys = block(keys, key_bias)
        keys = self.reference_norm(keys)
        x = self.drawing_in(torch.cat([here.pooled, here.summary, place], -1)) + self.hear(heard)
        for block in self.drawing_blocks:
            x = block(x, bias, keys, cross_bias[:, None])
        x = self.drawing_norm(x)
        similarity = self.sharpness * (self._embed(here.pooled, place) @ self._embed(there.pooled, key_place).transpose(1, 2))
        pointer = (self.point_query(x) @ self.point_key(keys).transpose(1, 2)).float() / math.sqrt(self.width)
        logits = similarity + pointer + self.prior(keys).transpose(1, 2).float() + cross_bias
        trust = F.softplus(self.trust(x).float() - 1.0)
        shared = F.one_hot(palette.entry, palette.size).float() * key_valid[..., None]
        with torch.autocast(logits.device.type, enabled=False):  # probabilities of 1e-3 matter here
            plain = ((similarity.float() + cross_bias).softmax(-1) @ shared).clamp_min(1e-9).log()
            by_region = (logits.softmax(-1) @ shared).clamp_min(1e-9).log()
            product = by_region + trust * by_place
            return FlatsOutput(product.log_softmax(-1), plain, by_place, pointing, x.float())


def _gather_votes(pool: Tensor, pointing: Tensor, palette: Palette) -> tuple[Tensor, Tensor]:
    """What each region's cells found: (B, N, 5) mean color, surest color's share and spread; and log (B, N, K) by color."""
    b, n, cells = pool.shape
    side = round(cells**0.5) // CELLS
    coarse = pool.reshape(b, n, CELLS, side, CELLS, side).sum((3, 5)).flatten(2).float()
    flat = palette.cells.reshape(b, -1, 3, CELLS * CELLS).transpose(2, 3).reshape(b, -1, 3)
    found = (pointing @ torch.cat([flat, (flat**2).sum(-1, keepdim=True), palette.shares], -1)).float()
    with torch.autocast(pool.device.type, enabled=False):
        told = coarse @ found
        mean, square, vote = told[..., :3], told[..., 3:4], (told[..., 4:] + VOTE_FLOOR).clamp_min(VOTE_FLOOR)
        vote = vote / vote.sum(-1, keepdim=True)
        spread = (square - (mean**2).sum(-1, keepdim=True)).clamp_min(1e-4).sqrt()
    return torch.cat([mean, vote.amax(-1, keepdim=True), spread], -1), vote.log()
