"""A diffusion model of a small color field: the shading that is laid on top of the flats.

The latent is (field - anchor) / ``LATENT_SCALE``, where the anchor is the flats drawn at field size.  The network predicts the
clean latent, a residual on the anchor, so the painted colors cannot disagree with the flats about which color a part has.
A conditioning network runs once for each drawing; the denoiser is light, so steps and guidance cost little.

Attributes of modules are keys of the shipped weights.  Where they differ from the usual terms: ``look`` and ``look4`` are
self- or cross-attention, ``colour`` embeds the reference's colors, ``place`` its positions, and ``nothing`` is the null
embedding of classifier-free guidance.
"""

from typing import NamedTuple

import torch
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from torch import Tensor, nn
from torch.nn import functional as F

from backend.networks.mini.blocks import (
    GroupNorm,
    SpatialAttention,
    TimeConditionedResBlock,
    foreground_bias,
    position_encoding,
)

LATENT_SCALE = 0.15
"""One unit of the latent, in sRGB 0..1."""
TOKEN_GRID = 16
"""The reference is encoded as TOKEN_GRID x TOKEN_GRID tokens."""
REFERENCE_SIDE = 128
"""Side of the reference as the network reads it, pixels."""
CONFIDENCE_SPREAD = 0.1
"""Spread of the colors that a cell points at, in sRGB 0..1, at which the confidence falls to 1/e."""


class DenoiserInputs(NamedTuple):
    """The network's inputs except the flats; F = side of the field, C = CELLS of the flats network."""

    ink: Tensor
    """(B, 1, 4F, 4F), 1 = line."""
    mask: Tensor
    """(B, 1, F, F) share of foreground 0..1."""
    warped_colors: Tensor
    """(B, 4, C, C), see ``warp_colors``."""
    reference: Tensor
    """(B, 3, 128, 128) sRGB 0..1."""
    reference_mask: Tensor
    """(B, 1, 32, 32) share of foreground 0..1."""


def warp_colors(correspondence: Tensor, colors: Tensor) -> Tensor:
    """The references' colors, warped to the drawing by the correspondence of their cells.

    correspondence: (B, C^2, L) probabilities; colors: (B, L, 3) sRGB 0..1.  (B, 4, C, C): expected color and confidence 0..1.
    """
    # Mean color and mean squared length in one product; spread^2 is their difference, which rounding may take below 0.
    moments = correspondence @ torch.cat([colors, (colors**2).sum(-1, keepdim=True)], -1)
    mean = moments[..., :3]
    spread = (moments[..., 3:] - (mean**2).sum(-1, keepdim=True)).clamp_min(0).sqrt()
    side = round(correspondence.shape[1] ** 0.5)
    return torch.cat([mean, (-spread / CONFIDENCE_SPREAD).exp()], -1).transpose(1, 2).reshape(len(mean), 4, side, side)


class EncodedCondition(NamedTuple):
    """What the conditioning network computes, once for all steps."""

    tokens: Tensor
    """(B, 256, D), of the reference."""
    fine: Tensor
    """Features at 1/2 of the field's size."""
    coarse: Tensor
    """Features at 1/4 of the field's size."""
    bias: Tensor
    """Of the cross-attention at 1/4 of the field's size."""


class ReferenceEncoder(nn.Module):
    """Encodes a color image (B, 3, 128, 128) in -1..1 and its mask (B, 1, 32, 32) in 0..1 as tokens (B, 256, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        # 65 = 16 pixels of three colors and the pseudo-line, and the mask.
        self.stem = nn.Conv2d(65, 64, 3, padding=1)
        self.at4 = TimeConditionedResBlock(64, 64)
        self.down = nn.Conv2d(64, width, 3, 2, 1)
        self.at8 = TimeConditionedResBlock(width, width)
        self.look = SpatialAttention(width, 4)
        self.colour = nn.Linear(192, width)
        self.norm = nn.LayerNorm(width)
        self.place = nn.Linear(32, width, bias=False)
        self.nothing = nn.Parameter(torch.randn(1, TOKEN_GRID * TOKEN_GRID, width) * 0.02)

    def forward(self, image: Tensor, mask: Tensor, drop: Tensor) -> Tensor:
        """drop: (B,) bool, True where the null embedding replaces the reference (classifier-free guidance)."""
        gray = image.mean(1, keepdim=True)
        # pseudo-lines: a local maximum minus the image is large on thin dark strokes
        lines = F.max_pool2d(gray, 5, 1, 2) - gray
        x = torch.cat([F.pixel_unshuffle(torch.cat([image, lines], 1), 4), mask * 2 - 1], 1)
        x = self.look(self.at8(self.down(self.at4(self.stem(x.contiguous(memory_format=torch.channels_last))))))
        colors = self.colour(F.pixel_unshuffle(image, 8).flatten(2).transpose(1, 2))
        tokens = self.norm(x.flatten(2).transpose(1, 2) + colors) + self.place(
            position_encoding(TOKEN_GRID, TOKEN_GRID, 32, x.device)
        )
        return torch.where(drop[:, None, None], self.nothing.to(tokens.dtype), tokens)


class FieldDenoiser(nn.Module):
    """See the module's docstring.

    widths: channels at 1/2, 1/4 and 1/8 of the field's size.  tokens, time: width of the reference's tokens and of the time
    embedding.
    """

    def __init__(self, widths: tuple[int, int, int] = (64, 104, 144), tokens: int = 104, time: int = 160) -> None:
        super().__init__()
        a, b, c = widths
        self.reference = ReferenceEncoder(tokens)
        # The conditioning network.  24 = 16 pixels of ink, mask, anchor (3), difference to the warped colors (3), confidence.
        self.stem = nn.Sequential(nn.Conv2d(24, 32, 3, padding=1), nn.SiLU(), nn.Conv2d(32, a, 3, 2, 1))
        self.in2 = nn.ModuleList([TimeConditionedResBlock(a, a), TimeConditionedResBlock(a, a)])
        self.down4, self.in4 = (
            nn.Conv2d(a, b, 3, 2, 1),
            nn.ModuleList([TimeConditionedResBlock(b, b), TimeConditionedResBlock(b, b)]),
        )
        self.look4 = nn.ModuleList([SpatialAttention(b, 4, tokens), SpatialAttention(b, 4, tokens)])
        self.down8, self.in8 = (
            nn.Conv2d(b, c, 3, 2, 1),
            nn.ModuleList([TimeConditionedResBlock(c, c), TimeConditionedResBlock(c, c)]),
        )
        self.self8 = SpatialAttention(c, 4)
        self.up4, self.up2 = TimeConditionedResBlock(c + b, b), TimeConditionedResBlock(b + a, a)

        # The denoiser, which every step runs: kept light.  12 = four pixels of three colors.
        self.steps = Timesteps(64, flip_sin_to_cos=True, downscale_freq_shift=0, scale=1000)
        self.time = TimestepEmbedding(64, time, out_dim=time)
        self.noisy_in = nn.Conv2d(12 + a, a, 3, padding=1)
        self.noisy2 = TimeConditionedResBlock(a, a, time)
        self.noisy_down, self.noisy4 = nn.Conv2d(a, b, 3, 2, 1), TimeConditionedResBlock(2 * b, b, time)
        self.noisy_look, self.noisy_out4 = SpatialAttention(b, 4, tokens), TimeConditionedResBlock(b, b, time)
        self.noisy_up, self.noisy_out2 = TimeConditionedResBlock(b + 2 * a, a, time), TimeConditionedResBlock(a, a, time)
        # Starts by predicting a clean latent of 0, which is the flats without shading.
        last = nn.Conv2d(a, 12, 3, padding=1)
        nn.init.zeros_(last.weight)
        self.out = nn.Sequential(GroupNorm(8, a), nn.SiLU(), last)

    def condition(self, inputs: DenoiserInputs, anchor: Tensor, drop: Tensor) -> EncodedCondition:
        """The conditioning network.

        anchor: (B, 3, F, F) sRGB 0..1, the flats; F % 8 == 0.  drop: (B,) bool, True = without the reference.
        """
        tokens = self.reference(inputs.reference * 2 - 1, inputs.reference_mask, drop)
        withheld = drop[:, None, None, None]
        # without the reference its mask is unknown: 0.5 makes the attention bias a constant
        keys = F.avg_pool2d(inputs.reference_mask, inputs.reference_mask.shape[-1] // TOKEN_GRID)
        keys = torch.where(withheld, torch.full_like(keys, 0.5), keys).flatten(1)
        bias4 = foreground_bias(F.avg_pool2d(inputs.mask, 4).flatten(1), keys)
        warped = F.interpolate(inputs.warped_colors, size=anchor.shape[2:], mode="bilinear", align_corners=False)
        confidence = torch.where(withheld, 0.0, warped[:, 3:])
        # warped colors as a difference to the flats, so that where they are not sure they say nothing
        difference = (warped[:, :3] - anchor) * confidence * 4
        x = torch.cat([F.pixel_unshuffle(inputs.ink, 4), inputs.mask * 2 - 1, anchor * 2 - 1, difference, confidence], 1)
        at2 = self.stem(x.contiguous(memory_format=torch.channels_last))
        for block in self.in2:
            at2 = block(at2)
        at4 = self.down4(at2)
        for block, attend in zip(self.in4, self.look4, strict=True):
            at4 = attend(block(at4), tokens, bias4)
        at8 = self.in8[1](self.self8(self.in8[0](self.down8(at4))))
        coarse = self.up4(torch.cat([F.interpolate(at8, scale_factor=2.0), at4], 1))
        fine = self.up2(torch.cat([F.interpolate(coarse, scale_factor=2.0), at2], 1))
        return EncodedCondition(tokens, fine, coarse, bias4)

    def forward(self, noisy: Tensor, sigma: Tensor, condition: EncodedCondition) -> Tensor:
        """The clean latent (B, 3, F, F), predicted from noisy = (1 - sigma) clean + sigma noise; sigma: (B,) 0..1."""
        time = F.silu(self.time(self.steps(sigma).to(condition.fine.dtype)))
        x = F.pixel_unshuffle(noisy, 2).to(condition.fine.dtype)
        at2 = self.noisy2(self.noisy_in(torch.cat([x, condition.fine], 1)), time)
        at4 = self.noisy4(torch.cat([self.noisy_down(at2), condition.coarse], 1), time)
        at4 = self.noisy_out4(self.noisy_look(at4, condition.tokens, condition.bias), time)
        x = self.noisy_up(torch.cat([F.interpolate(at4, scale_factor=2.0), at2, condition.fine], 1), time)
        return F.pixel_shuffle(self.out(self.noisy_out2(x, time)).float(), 2)
