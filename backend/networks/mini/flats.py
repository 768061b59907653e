"""Which palette color each region of the drawing takes from the references.

One CNN reads lines without color, those of the drawing and those of the references' own contours; at 1/16 of the size the two
attend to each other.  Two predictions are made from its features and multiplied:

* By cell: every cell of the drawing has a soft correspondence with cells of the references, and a region gathers the votes of
  its cells for palette colors.
* By region: features are pooled over regions; a transformer lets the drawing's regions attend to each other and to the
  references'; a pointer network then gives each region a distribution over the references' regions, and the probabilities of
  reference regions that share a palette color are added up.

Attributes of modules are keys of the shipped weights.  Where they differ from the field's terms: ``eyes`` is the feature
pyramid, ``meeting`` the cross-image attention, ``own`` and ``other`` its self- and cross-attention, ``think`` its residual
blocks, ``colour`` embeds the references' colors, ``look`` and ``look_place`` embed regions for similarity, ``sight`` embeds
cells, ``hear`` takes in the votes, and ``trust`` weighs them.  ``eyes``, ``meetings`` and ``sight`` are also keys of
config.json.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.networks.mini.blocks import TransformerBlock
from backend.networks.mini.feature_pyramid import CrossImageAttention, FeaturePyramid

GEOMETRY_FEATURES = 14
"""Numbers that describe a region's position and shape; the first four are positions."""
CELLS = 32
"""Drawing and references are compared on grids of CELLS x CELLS cells."""
VOTE_FLOOR = 1e-3
"""Added to the vote for every palette color, so that the prediction by region can overrule a wrong correspondence."""


class ImageBatch(NamedTuple):
    """A batch of images and their regions, padded to N regions; several references of one drawing follow each other."""

    image: Tensor
    """(B, 3, S, S), see ``feature_pyramid.IMAGE_CHANNELS``."""
    pool: Tensor
    """(B, N, (S/4)^2): the share of each region that lies in each feature cell; rows sum to 1."""
    geometry: Tensor
    """(B, N, 14)."""
    valid: Tensor
    """(B, N) bool, False for padding."""


class Palette(NamedTuple):
    """The references' colors: M regions and L = R CELLS^2 cells of all R references in a row."""

    lab: Tensor
    """(B, M, 3) Lab / 50 with L shifted by -1, of each region."""
    entry: Tensor
    """(B, M) int64 < size, the palette color of each region."""
    size: int
    """Number of palette colors, K."""
    cells: Tensor
    """(B R, 3, CELLS, CELLS) mean color of each cell, in the units of ``lab``."""
    shares: Tensor
    """(B, L, K) share of each palette color in each cell."""
    layer_weights: Tensor
    """(B, L, 2) how much each cell may color the background (0) and the foreground (1), 0..1."""


class FlatsOutput(NamedTuple):
    """What the network predicts; the first three are log probabilities over palette colors."""

    log_prob: Tensor
    """(B, N, K) of the whole network."""
    similarity: Tensor
    """(B, N, K) of the similarity of regions alone; only the loss uses it."""
    votes: Tensor
    """(B, N, K) of the cells' votes alone."""
    correspondence: Tensor
    """(B, CELLS^2, L) for each cell of the drawing, the probability that it corresponds to each cell of the references."""
    tokens: Tensor
    """(B, N, width) final features of each region."""


class EncodedImages(NamedTuple):
    """Features of a batch of images; those of several references of one drawing are in one row."""

    pooled: Tensor
    """(B, N, features) mean over each region."""
    summary: Tensor
    """(B, N, widths[3]) the image's summary vector, repeated for each of its regions."""
    cells: Tensor
    """(B, CELLS^2, widths[2])."""


def _attention_bias(allowed: Tensor) -> Tensor:
    """0 where attention is allowed, -1e4 where not."""
    return torch.zeros(allowed.shape, device=allowed.device).masked_fill(~allowed, -1e4)


class Flats(nn.Module):
    """See the module's docstring.

    width, embedding, sight: of the tokens, of the regions' and of the cells' embeddings.  layers, reference_layers, meetings:
    depth of the transformer on the drawing's and on the references' regions, and of the cross-image attention.  eyes, features:
    widths of the feature pyramid and of its output.  frequencies: of the positional encoding.
    """

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
        # By region: tokens of regions, and the transformers on them.
        self.drawing_in = nn.Sequential(nn.Linear(features + eyes[3] + place, width), nn.GELU(), nn.Linear(width, width))
        self.reference_in = nn.Sequential(nn.Linear(features + eyes[3] + place + 3, width), nn.GELU(), nn.Linear(width, width))
        self.reference_blocks = nn.ModuleList(TransformerBlock(width, heads, cross=False) for _ in range(reference_layers))
        self.drawing_blocks = nn.ModuleList(TransformerBlock(width, heads, cross=True) for _ in range(layers))
        self.drawing_norm, self.reference_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        # The pointer network: query and key, a prior for each reference region, and the similarity of regions by embeddings.
        self.point_query, self.point_key = nn.Linear(width, width), nn.Linear(width, width)
        self.prior = nn.Linear(width, 1)
        self.look = nn.Linear(features, embedding)
        self.look_place = nn.Linear(place, embedding, bias=False)
        self.sharpness = nn.Parameter(torch.tensor(6.0))
        self.place_weight = nn.Parameter(torch.tensor(0.7))
        # By cell: the correspondence, how its votes are heard (at first not at all) and weighed (at first all alike).
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
        """Drawing and references through the CNN; colors: ``Palette.cells``."""
        b = drawing.image.shape[0]
        fine, middle, coarse = self.eyes.down(torch.cat([drawing.image, references.image]))
        coarse = torch.cat(self.meeting(coarse[:b], coarse[b:], colors))
        features, middle, summary = self.eyes.up(fine, middle, coarse)
        cells = middle.flatten(2).transpose(1, 2)

        def gather(rows: slice, images: ImageBatch) -> EncodedImages:
            flat = features[rows].flatten(2).transpose(1, 2)
            pooled = (images.pool.to(flat.dtype) @ flat).float()
            repeated = summary[rows].float()[:, None].expand(-1, pooled.shape[1], -1)
            return EncodedImages(*(t.reshape(b, -1, t.shape[-1]) for t in (pooled, repeated, cells[rows])))

        return gather(slice(b), drawing), gather(slice(b, None), references)

    def _correspond(self, drawing: Tensor, references: Tensor, foreground: Tensor, layer_weights: Tensor) -> Tensor:
        """The soft correspondence (B, CELLS^2, L) of cells.

        drawing, references: features of their cells.  foreground: (B, CELLS^2) share in the drawing's cells.  layer_weights:
        see ``Palette``; a cell hardly corresponds to cells that may not color its layer.
        """
        query, key = (F.normalize(self.sight(x).float(), dim=-1) for x in (drawing, references))
        logits = (self.sight_sharpness.clamp(1, 40) * query) @ key.transpose(1, 2)
        permitted = torch.stack([1 - foreground, foreground], -1) @ layer_weights.transpose(1, 2)
        # 0.02 leaves forbidden cells a small chance: masks are guessed, and the logarithm of 0 is infinite.
        return (logits.float() + (permitted.float() + 0.02).log()).softmax(-1)

    def _embed(self, pooled: Tensor, place: Tensor) -> Tensor:
        """Unit vectors (B, N, embedding) whose cosine is the similarity of two regions."""
        embedded = self.look(F.layer_norm(pooled, pooled.shape[-1:])) + self.place_weight * self.look_place(place)
        return F.normalize(embedded.float(), dim=-1)

    def forward(self, drawing: ImageBatch, references: ImageBatch, palette: Palette, allowed: Tensor) -> FlatsOutput:
        """The distribution over palette colors of each region.

        references: R of each drawing, one after the other, of M / R regions each (padded).  allowed: (B, N, M) bool, which
        reference regions a region may take its color from.
        """
        b = drawing.image.shape[0]
        encoded, encoded_references = self._encode(drawing, references, palette.cells)
        key_geometry = references.geometry.reshape(b, -1, GEOMETRY_FEATURES)
        key_valid = references.valid.reshape(b, -1)
        # by cell: correspondence, and what it brings to each region
        foreground = F.interpolate(drawing.image[:, 1:2], size=(CELLS, CELLS), mode="area").flatten(1)
        correspondence = self._correspond(encoded.cells, encoded_references.cells, foreground, palette.layer_weights)
        evidence, by_cell = _gather_votes(drawing.pool, correspondence, palette)
        # by region: the references' regions first, then the drawing's, which also read the evidence of their cells
        place, key_place = self._place(drawing.geometry), self._place(key_geometry)
        bias, key_bias = _attention_bias(drawing.valid)[:, None, None], _attention_bias(key_valid)[:, None, None]
        cross_bias = _attention_bias(allowed & key_valid[:, None])
        keys = self.reference_in(torch.cat([encoded_references.pooled, encoded_references.summary, key_place, palette.lab], -1))
        for block in self.reference_blocks:
            keys = block(keys, key_bias)
        keys = self.reference_norm(keys)
        x = self.drawing_in(torch.cat([encoded.pooled, encoded.summary, place], -1)) + self.hear(evidence)
        for block in self.drawing_blocks:
            x = block(x, bias, keys, cross_bias[:, None])
        x = self.drawing_norm(x)
        # the pointer network, helped by the plain similarity of regions and by a prior for reference regions
        query, key = self._embed(encoded.pooled, place), self._embed(encoded_references.pooled, key_place)
        similarity = self.sharpness * (query @ key.transpose(1, 2))
        pointer = (self.point_query(x) @ self.point_key(keys).transpose(1, 2)).float() / math.sqrt(self.width)
        logits = similarity + pointer + self.prior(keys).transpose(1, 2).float() + cross_bias
        # how much the votes count, for each region; then probabilities of reference regions become those of palette colors
        trust = F.softplus(self.trust(x).float() - 1.0)
        entries = F.one_hot(palette.entry, palette.size).float() * key_valid[..., None]
        with torch.autocast(logits.device.type, enabled=False):  # float16 would lose probabilities of 1e-3
            plain = ((similarity.float() + cross_bias).softmax(-1) @ entries).clamp_min(1e-9).log()
            by_region = (logits.softmax(-1) @ entries).clamp_min(1e-9).log()
            product = by_region + trust * by_cell
            return FlatsOutput(product.log_softmax(-1), plain, by_cell, correspondence, x.float())


def _gather_votes(pool: Tensor, correspondence: Tensor, palette: Palette) -> tuple[Tensor, Tensor]:
    """What the cells of each region correspond to.

    (B, N, 5): mean color, largest share of one palette color, spread of the colors.  (B, N, K): log probability of each palette
    color.
    """
    b, n, cells = pool.shape
    side = round(cells**0.5) // CELLS
    # from the feature cells of ``pool`` to the larger cells of the correspondence
    coarse = pool.reshape(b, n, CELLS, side, CELLS, side).sum((3, 5)).flatten(2).float()
    flat = palette.cells.reshape(b, -1, 3, CELLS * CELLS).transpose(2, 3).reshape(b, -1, 3)
    per_cell = (correspondence @ torch.cat([flat, (flat**2).sum(-1, keepdim=True), palette.shares], -1)).float()
    with torch.autocast(pool.device.type, enabled=False):
        per_region = coarse @ per_cell
        mean, square, vote = per_region[..., :3], per_region[..., 3:4], (per_region[..., 4:] + VOTE_FLOOR).clamp_min(VOTE_FLOOR)
        vote = vote / vote.sum(-1, keepdim=True)
        # Not below 1e-4, because the gradient of a square root grows without limit towards 0.
        spread = (square - (mean**2).sum(-1, keepdim=True)).clamp_min(1e-4).sqrt()
    return torch.cat([mean, vote.amax(-1, keepdim=True), spread], -1), vote.log()
