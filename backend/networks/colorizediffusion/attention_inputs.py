"""What the attention layers of the reference U-Net are told: tokens, strengths, and how a mask splits them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from backend.networks.colorizediffusion.half_selectors import HalfSelector
from backend.networks.colorizediffusion.hooks import ReferenceFeatures
from backend.networks.colorizediffusion.key_value import KeyValue

Half = Literal["foreground", "background"]
Projection = Literal["to_q", "to_k", "to_v"]
PROJECTIONS: tuple[Projection, ...] = ("to_q", "to_k", "to_v")
Ranks = Mapping[Projection, Mapping[Half, int]]
"""Rank of each low-rank pair of one layer; empty where a layer has none."""


@dataclass(frozen=True)
class Split:
    """How a mask divides the tokens: the first half for the foreground, the second half for the background.

    The tuples hold a number for each transformer block.
    """

    mask: Tensor
    """(B or 1, 1, h, w) of the latent's size, 1 = foreground, not clamped."""
    foreground_scale: tuple[float, ...]
    """Factor of what the foreground's positions attend to."""
    background_scale: tuple[float, ...]
    """Factor of what the background's positions attend to."""
    merge: tuple[float, ...]
    """How much of the background's values is mixed into the foreground's."""
    selector: HalfSelector
    """Decides which half a position sees."""
    foreground_pair: Half | None = None
    """Which low-rank pair the foreground half adds to its projections; None: none."""
    background_pair: Half | None = None
    """The same for the background half."""


@dataclass(frozen=True)
class CrossAttentionInput:
    """What the cross-attention layers attend to."""

    context: Tensor
    """Tokens (B, n, width), or (B, 2 n, width) with a split."""
    strength: tuple[float, ...]
    """For each transformer block, what its attended values are multiplied by."""
    split: Split | None
    """None: all positions attend to all tokens."""


@dataclass(frozen=True)
class CachedKeyValues:
    """A ``CrossAttentionInput`` whose keys and values were computed once."""

    keys: tuple[tuple[KeyValue, ...], ...]
    """For each transformer block those of all tokens, or those of the foreground and of the background."""
    rows: Tensor | None
    """Numbers of the rows of the batch whose tokens are not all zero; None: all rows.

    Keys and values of zero tokens are zero, so the other rows attend to nothing and cost only the output's bias."""
    strength: tuple[float, ...]
    """As in ``CrossAttentionInput``."""
    split: Split | None
    """As in ``CrossAttentionInput``."""


@dataclass(frozen=True)
class AttentionInputs:
    """What the attention layers of one transformer are told in one pass; masks are of the layers' size, (B or 1, h w, 1)."""

    cross_attention: CrossAttentionInput | CachedKeyValues
    split_mask: Tensor | None
    """1 = foreground, not clamped; None: no split."""
    reference: ReferenceFeatures | None
    """None: self-attention sees its own tokens alone."""
    reference_mask: Tensor | None
    """Of ``reference``, not clamped; None: no position is left out."""
    recorded: dict[int, Tensor] | None
    """Takes every block's normalized self-attention input, by its number, where a pass stores them."""
