"""How the mask of a split decides which half of the tokens a position sees: hard, biased or soft.

A layer hands its queries and keys to a selector, which computes only the attentions it needs.  Sections of the XL model's
specification are marked "XL".
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from backend.networks.colorizediffusion.key_value import KeyValue


@dataclass(frozen=True)
class AttentionHalf:
    """One half of a split: what asks and what is seen."""

    query: Tensor
    """(B, heads, N, d); the halves differ where they use different low-rank pairs."""
    keys: KeyValue
    """Of the half's tokens."""
    scale: float
    """The layer's strength times the half's own."""

    def attend(self) -> Tensor:
        """The attended values (B, N, heads * d), scaled."""
        return self.keys.attend(self.query) * self.scale


@dataclass(frozen=True)
class SplitCall:
    """One call of one cross-attention layer with a split."""

    number: int
    """Of the transformer block."""
    foreground: AttentionHalf
    background: AttentionHalf
    strength: float
    """What the attended values are multiplied by."""
    merge: float
    """How much of the background's values is mixed into the foreground's, 0..1."""
    mask: Tensor
    """(B or 1, N, 1) at the layer's size, 1 = foreground, not clamped."""
    has_pairs: bool
    """Whether the layer has low-rank pairs."""

    def attend_both(self) -> tuple[Tensor, Tensor]:
        """The values of the foreground, background mixed in, and of the background, for all positions."""
        foreground, background = self.foreground.attend(), self.background.attend()
        return foreground * (1 - self.merge) + background * self.merge, background


class HalfSelector(Protocol):
    """Makes attended values (B, N, heads * d) of a split call."""

    def select(self, call: SplitCall) -> Tensor:
        """The values before the output projection."""
        ...


@dataclass(frozen=True)
class HardSelector:
    """Both halves are computed for all positions; each position takes one of them (spec 9)."""

    threshold: tuple[float, ...]
    """For each transformer block, the mask value above which a position is foreground."""

    def select(self, call: SplitCall) -> Tensor:
        """See ``HalfSelector``."""
        threshold = self.threshold[call.number]
        foreground, background = call.attend_both()
        # At a mask of exactly the threshold, layers with pairs were trained on background, layers without on foreground.
        inside = call.mask > threshold if call.has_pairs else call.mask >= threshold
        return torch.where(inside, foreground, background)


@dataclass(frozen=True)
class BiasedSelector:
    """One attention to all tokens, where a bias of minus infinity hides the other half's from a position (spec XL 6).

    The halves' own strengths and ``merge`` do not count, as in the published program.
    """

    threshold: tuple[float, ...]
    """For each transformer block, the mask value above which a position is foreground."""

    def select(self, call: SplitCall) -> Tensor:
        """See ``HalfSelector``."""
        first, second = call.foreground, call.background
        inside = call.mask > self.threshold[call.number]
        sees_first = inside.expand(-1, -1, first.keys.key.shape[2])
        sees_second = ~inside.expand(-1, -1, second.keys.key.shape[2])
        # One attention has one query for each position: that of the half which the position belongs to.
        query = torch.where(inside[:, None], first.query, second.query)
        visible = torch.cat([sees_first, sees_second], dim=-1)[:, None]
        return first.keys.join(second.keys).attend(query, visible) * call.strength


@dataclass(frozen=True)
class SoftSelector:
    """The mask itself is the share of the foreground's values; it is not clamped (spec XL 7.4)."""

    def select(self, call: SplitCall) -> Tensor:
        """See ``HalfSelector``."""
        foreground, background = call.attend_both()
        share = call.mask.to(foreground.dtype)
        return foreground * share + background * (1 - share)
