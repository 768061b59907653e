"""A diffusion over a small color field: the shading that is laid on top of the flats.

The latent is (field - anchor) / ``SCALE``, where the anchor is the flats drawn at field size: the network predicts the clean
latent, i.e. the picture as a residual on its anchor, so painted and flat colors cannot disagree about which color a part has.
A conditioning network runs once a picture; the denoiser is light, which makes steps and guidance nearly free.
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
"""One unit of latent, in sRGB 0..1."""
TOKEN_GRID = 16
"""The reference becomes TOKENS x TOKENS tokens."""
REFERENCE_SIDE = 128


CONFIDENCE_SPREAD = 0.1
"""Spread of colors, in sRGB 0..1, at which what a cell points at is no longer sure."""


class DenoiserInputs(NamedTuple):
    """What the network sees but for the flats.

    ink: (B, 1, 4F, 4F), 1 = line.  mask: (B, 1, F, F).  warped: (B, 4, C, C), see ``warp``.  picture: (B, 3, 128, 128) sRGB
    0..1 and figure: (B, 1, 32, 32), the reference and its mask.
    """

    ink: Tensor
    mask: Tensor
    warped_colors: Tensor
    reference: Tensor
    reference_mask: Tensor


def warp_colors(pointing: Tensor, colors: Tensor) -> Tensor:
    """The reference's colors brought to where the drawing's cells point.

    pointing: (B, C^2, L) probabilities; colors: (B, L, 3) sRGB 0..1.  (B, 4, C, C): mean color, and how sure it is, 0..1.
    """
    found = pointing @ torch.cat([colors, (colors**2).sum(-1, keepdim=True)], -1)
    mean = found[..., :3]
    spread = (found[..., 3:] - (mean**2).sum(-1, keepdim=True)).clamp_min(0).sqrt()
    side = round(pointing.shape[1] ** 0.5)
    return torch.cat([mean, (-spread / CONFIDENCE_SPREAD).exp()], -1).transpose(1, 2).reshape(len(mean), 4, side, side)


class EncodedCondition(NamedTuple):
    """What is computed once: tokens (B, 256, D), features at 1/2 and 1/4 of the field, the attention bias at 1/4."""

    tokens: Tensor
    fine: Tensor
    coarse: Tensor
    bias: Tensor


class ReferenceEncoder(nn.Module):
    """A color picture (B, 3, 128, 128) in -1..1 and its mask (B, 1, 32, 32) in 0..1 to tokens (B, 256, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(65, 64, 3, padding=1)
        self.at4 = TimeConditionedResBlock(64, 64)
        self.down = nn.Conv2d(64, width, 3, 2, 1)
        self.at8 = TimeConditionedResBlock(width, width)
        self.look = SpatialAttention(width, 4)
        self.colour = nn.Linear(192, width)
        self.norm = nn.LayerNorm(width)
        self.place = nn.Linear(32, width, bias=False)
        self.nothing = nn.Parameter(torch.randn(1, TOKEN_GRID * TOKEN_GRID, width) * 0.02)

    def forward(self, picture: Tensor, mask: Tensor, drop: Tensor) -> Tensor:
        """drop: (B,) bool, True where the reference is withheld (classifier-free guidance)."""
        gray = picture.mean(1, keepdim=True)
        lines = F.max_pool2d(gray, 5, 1, 2) - gray
        x = torch.cat([F.pixel_unshuffle(torch.cat([picture, lines], 1), 4), mask * 2 - 1], 1)
        x = self.look(self.at8(self.down(self.at4(self.stem(x.contiguous(memory_format=torch.channels_last))))))
        colors = self.colour(F.pixel_unshuffle(picture, 8).flatten(2).transpose(1, 2))
        tokens = self.norm(x.flatten(2).transpose(1, 2) + colors) + self.place(
            position_encoding(TOKEN_GRID, TOKEN_GRID, 32, x.device)
        )
        return torch.where(drop[:, None, None], self.nothing.to(tokens.dtype), tokens)


class FieldDenoiser(nn.Module):
    """See the module's text.  widths: channels at 1/2, 1/4 and 1/8 of the field; tokens: width of the reference's tokens."""

    def __init__(self, widths: tuple[int, int, int] = (64, 104, 144), tokens: int = 104, time: int = 160) -> None:
        super().__init__()
        a, b, c = widths
        self.reference = ReferenceEncoder(tokens)
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

        self.steps = Timesteps(64, flip_sin_to_cos=True, downscale_freq_shift=0, scale=1000)
        self.time = TimestepEmbedding(64, time, out_dim=time)
        self.noisy_in = nn.Conv2d(12 + a, a, 3, padding=1)
        self.noisy2 = TimeConditionedResBlock(a, a, time)
        self.noisy_down, self.noisy4 = nn.Conv2d(a, b, 3, 2, 1), TimeConditionedResBlock(2 * b, b, time)
        self.noisy_look, self.noisy_out4 = SpatialAttention(b, 4, tokens), TimeConditionedResBlock(b, b, time)
        self.noisy_up, self.noisy_out2 = TimeConditionedResBlock(b + 2 * a, a, time), TimeConditionedResBlock(a, a, time)
        last = nn.Conv2d(a, 12, 3, padding=1)
        nn.init.zeros_(last.weight)
        self.out = nn.Sequential(GroupNorm(8, a), nn.SiLU(), last)

    def condition(self, shown: DenoiserInputs, anchor: Tensor, drop: Tensor) -> EncodedCondition:
        """Everything without noise in it.

        anchor: (B, 3, F, F) sRGB 0..1, the flats.  drop: (B,) bool, reference withheld.  F % 8 == 0.
        """
        tokens = self.reference(shown.reference * 2 - 1, shown.reference_mask, drop)
        withheld = drop[:, None, None, None]
        keys = F.avg_pool2d(shown.reference_mask, shown.reference_mask.shape[-1] // TOKEN_GRID)
        keys = torch.where(withheld, torch.full_like(keys, 0.5), keys).flatten(1)
        bias4 = foreground_bias(F.avg_pool2d(shown.mask, 4).flatten(1), keys)
        warped = F.interpolate(shown.warped_colors, size=anchor.shape[2:], mode="bilinear", align_corners=False)
        sure = torch.where(withheld, 0.0, warped[:, 3:])
        given = [F.pixel_unshuffle(shown.ink, 4), shown.mask * 2 - 1, anchor * 2 - 1, (warped[:, :3] - anchor) * sure * 4, sure]
        x = torch.cat(given, 1)
        at2 = self.stem(x.contiguous(memory_format=torch.channels_last))
        for block in self.in2:
            at2 = block(at2)
        at4 = self.down4(at2)
        for block, look in zip(self.in4, self.look4, strict=True):
            at4 = look(block(at4), tokens, bias4)
        at8 = self.in8[1](self.self8(self.in8[0](self.down8(at4))))
        coarse = self.up4(torch.cat([F.interpolate(at8, scale_factor=2.0), at4], 1))
        fine = self.up2(torch.cat([F.interpolate(coarse, scale_factor=2.0), at2], 1))
        return EncodedCondition(tokens, fine, coarse, bias4)

    def forward(self, noisy: Tensor, sigma: Tensor, given: EncodedCondition) -> Tensor:
        """The clean latent (B, 3, F, F) seen through noisy = (1 - sigma) clean + sigma noise; sigma: (B,) 0..1."""
        time = F.silu(self.time(self.steps(sigma).to(given.fine.dtype)))
        x = F.pixel_unshuffle(noisy, 2).to(given.fine.dtype)
        at2 = self.noisy2(self.noisy_in(torch.cat([x, given.fine], 1)), time)
        at4 = self.noisy4(torch.cat([self.noisy_down(at2), given.coarse], 1), time)
        at4 = self.noisy_out4(self.noisy_look(at4, given.tokens, given.bias), time)
        x = self.noisy_up(torch.cat([F.interpolate(at4, scale_factor=2.0), at2, given.fine], 1), time)
        return F.pixel_shuffle(self.out(self.noisy_out2(x, time)).float(), 2)
