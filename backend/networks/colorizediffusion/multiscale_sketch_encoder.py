"""XL's sketch encoder: convolutions at four scales, and one attention from coarse to fine between them (spec XL 4)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.networks.colorizediffusion.rotary_position import RotaryPosition
from backend.networks.colorizediffusion.sketch_encoder import TRUNK

LEVELS = (320, 320, 640, 1280)
"""Widths of the four scales: 1/8, 1/16, and twice 1/32 of the image."""
BLOCKS = ("conv_in", "down_blocks.0.downsamplers.0", "down_blocks.1.downsamplers.0", "down_blocks.2.attentions.1")
"""The blocks of the U-Net that the features are added to, see ``UNetHooks.sketch_features``."""
EPS = 1e-6


class CoarseToFineAttention(nn.Module):
    """Self-attention in which a token sees its own scale, all coarser ones and one global token."""

    def __init__(self, width: int, head_dim: int) -> None:
        super().__init__()
        self.heads = width // head_dim
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(width, width)])
        self.q_norm, self.k_norm = nn.RMSNorm(width, eps=EPS), nn.RMSNorm(width, eps=EPS)

    def forward(self, scales: Sequence[Tensor], turns: Sequence[RotaryPosition | None]) -> list[Tensor]:
        """Tokens of each scale (B, n, C), the coarsest first -> the same, with what they have seen added.

        turns: how the queries and keys of each scale are rotated; None = not at all.  Tokens of one scale that are to see each
        other and the global token alone come together: the global token is a scale of its own, before the coarsest.
        """
        queries = [self._rotate(self.q_norm(self.to_q(x)), turn) for x, turn in zip(scales, turns, strict=True)]
        keys = [self._rotate(self.k_norm(self.to_k(x)), turn) for x, turn in zip(scales, turns, strict=True)]
        values = [self._split(self.to_v(x)) for x in scales]
        outputs: list[Tensor] = []
        for number, (x, query) in enumerate(zip(scales, queries, strict=True)):
            # The global token and the coarsest scale see each other.
            seen = max(number, 1) + 1
            key, value = torch.cat(keys[:seen], 2), torch.cat(values[:seen], 2)
            attended = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
            outputs.append(x + self.to_out[0](attended))
        return outputs

    def _split(self, x: Tensor) -> Tensor:
        """(B, n, C) -> (B, heads, n, C / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def _rotate(self, x: Tensor, turn: RotaryPosition | None) -> Tensor:
        split = self._split(x)
        return split if turn is None else turn.rotate(split)


class MultiscaleSketchEncoder(nn.Module):
    """What a line drawing adds to XL's U-Net at four places.  It sees neither time step nor reference.

    ``trunk`` and ``levels`` are widths.  Full size: 26.0 M parameters.
    """

    def __init__(
        self,
        trunk: Sequence[int] = TRUNK,
        levels: Sequence[int] = LEVELS,
        channels: int = 3,
        head_dim: int = 128,
        *,
        true_rotation: bool = True,
    ) -> None:
        """true_rotation: False takes only the cosines of the rotation, as the released program does by mistake (spec XL 4)."""
        super().__init__()
        widths, strides = (channels, *trunk, levels[0]), (1, 1, 2, 1, 2, 1, 2, 1)
        self.true_rotation = true_rotation
        self.trunk = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride, padding=1) for (a, b), stride in zip(pairwise(widths), strides, strict=True)
        )
        plan = zip(pairwise(levels), (2, 2, 1), strict=True)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride, padding=1) for (a, b), stride in plan)
        width = levels[-1]
        self.inputs = nn.ModuleList(nn.Conv2d(level, width, 1) for level in (*levels, width))
        self.attention = CoarseToFineAttention(width, head_dim)
        self.outputs = nn.ModuleList(nn.Conv2d(width, level, 1) for level in levels)
        for output in self.outputs:  # a new encoder adds nothing until it is trained
            nn.init.zeros_(output.weight)  # type: ignore[arg-type]
            nn.init.zeros_(output.bias)  # type: ignore[arg-type]

    def forward(self, sketch: Tensor) -> dict[str, Tensor]:
        """Features of a sketch (B, 3, H, W) in [-1, 1] with lines at +1, paper at -1, by ``BLOCKS``; H, W divisible by 32."""
        x = self.trunk[0](sketch.to(self.trunk[0].weight.dtype))  # type: ignore[union-attr]
        for conv in self.trunk[1:]:
            x = conv(F.silu(x))
        maps = [x]
        for conv in self.down:
            maps.append(conv(F.silu(maps[-1])))
        seen = self._attend(maps)
        features = [output(x) for output, x in zip(self.outputs, seen, strict=True)]
        return dict(zip(BLOCKS, features, strict=True))

    def _attend(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Maps (B, C, h, w), the finest first -> maps of one width after the attention, in the same order."""
        wide = [convert(x) for convert, x in zip(self.inputs[:-1], maps, strict=True)]  # type: ignore[arg-type]
        whole = self.inputs[-1](maps[-1].mean(dim=(2, 3), keepdim=True))
        scales = [x.flatten(2).transpose(1, 2) for x in (whole, *reversed(wide))]
        head_dim = wide[0].shape[1] // self.attention.heads
        turns = [RotaryPosition(x.shape[-2], x.shape[-1], head_dim, x.device, self.true_rotation) for x in reversed(wide)]
        attended = self.attention(scales, [None, *turns])[1:][::-1]
        return [tokens.transpose(1, 2).unflatten(2, x.shape[-2:]) for tokens, x in zip(attended, wide, strict=True)]
