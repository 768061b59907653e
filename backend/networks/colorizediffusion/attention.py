"""Attention processors of the reference U-Net: cross-attention split by a mask, and self-attention with a memory.

What a layer attends to, how strongly, which half sees which tokens and which low-rank pairs are used are arguments of each
call; a processor holds weights alone.  Processors are put in and taken out by ``reference_unet``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn
from torch.nn import functional as F

Side = Literal["foreground", "background"]
Projection = Literal["to_q", "to_k", "to_v"]
PROJECTIONS: tuple[Projection, ...] = ("to_q", "to_k", "to_v")
Ranks = Mapping[Projection, Mapping[Side, int]]
"""Rank of each low-rank pair of one layer; empty where a layer has none."""


@dataclass(frozen=True)
class Split:
    """How a mask divides the context: first half of the tokens for the foreground, second half for the background.

    ``mask`` is (B or 1, 1, h, w) of the latent's size, 1 = character, not clamped.  The tuples hold a number for each
    cross-attention layer.  ``merge`` mixes background into the foreground; above ``threshold`` is foreground.
    """

    mask: Tensor
    foreground_scale: tuple[float, ...]
    background_scale: tuple[float, ...]
    merge: tuple[float, ...]
    threshold: tuple[float, ...]
    foreground_lora: bool
    background_lora: bool


@dataclass(frozen=True)
class CrossAttentionInput:
    """What the cross-attention layers attend to: ``context`` (B, n or with a split 2n, width), and each layer's strength."""

    context: Tensor
    strength: tuple[float, ...]
    split: Split | None


@dataclass(frozen=True)
class KeyValue:
    """Keys and values (rows, heads, n, d) of one set of tokens in one layer."""

    key: Tensor
    value: Tensor


@dataclass(frozen=True)
class CachedKeyValues:
    """An ``CrossAttentionInput`` whose keys and values were computed once: for each layer those of all tokens, or of both
    halves.

    ``rows`` numbers the rows of the batch whose context is not all zero, None when that is all of them.  Keys and values of
    zero tokens are zero, so the other rows attend to nothing and cost only the output's bias.
    """

    keys: tuple[tuple[KeyValue, ...], ...]
    rows: Tensor | None
    strength: tuple[float, ...]
    split: Split | None


@dataclass(frozen=True)
class ReferenceFeatures:
    """Normalized self-attention inputs of another pass, (B, n, width) for each transformer block.

    Rows attend to their own tokens and the stored ones.  ``fidelity`` holds a number for each row: the share of an attention to
    its own tokens alone (the style fidelity for rows without reference, 0 for the others).
    """

    tokens: tuple[Tensor, ...]
    fidelity: tuple[float, ...]


@dataclass(frozen=True)
class BlockContext:
    """One transformer block in one pass.  ``mask`` is (B or 1, h w, 1); ``record`` takes what a write pass stores."""

    number: int
    attending: CrossAttentionInput | CachedKeyValues
    mask: Tensor | None
    memory: ReferenceFeatures | None
    record: list[Tensor] | None


class LoraPair(nn.Module):
    """A low-rank addition to a projection: no scale, no bias; adds nothing until it is trained."""

    def __init__(self, width: int, to: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Linear(width, rank, bias=False)
        self.up = nn.Linear(rank, to, bias=False)
        nn.init.normal_(self.down.weight, std=1 / rank)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> (..., to)."""
        return self.up(self.down(x))


def _attend(attn: Attention, query: Tensor, keys: KeyValue) -> Tensor:
    """(B, N, C) queries -> (B, N, C) attended values, before the output projection."""
    attended = F.scaled_dot_product_attention(_heads(attn, query), keys.key, keys.value)
    return attended.transpose(1, 2).flatten(2)


def _heads(attn: Attention, x: Tensor) -> Tensor:
    return x.unflatten(-1, (attn.heads, -1)).transpose(1, 2)


def _output(attn: Attention, attended: Tensor) -> Tensor:
    out = cast(nn.ModuleList, attn.to_out)
    return out[1](out[0](attended))


class SplitAttention(nn.Module):
    """Cross-attention with a strength, and two halves selected by a mask where there is one."""

    def __init__(self, attn: Attention, ranks: Ranks) -> None:
        super().__init__()
        self.pairs = nn.ModuleDict()
        for name, sides in ranks.items():
            linear = cast(nn.Linear, getattr(attn, name))
            made = {side: LoraPair(linear.in_features, linear.out_features, rank) for side, rank in sides.items()}
            self.pairs[name] = nn.ModuleDict(made)

    def _project(self, attn: Attention, name: Projection, x: Tensor, side: Side | None) -> Tensor:
        plain = cast(nn.Linear, getattr(attn, name))(x)
        if side is None or name not in self.pairs:
            return plain
        pair = cast(nn.ModuleDict, self.pairs[name])[side]
        return plain + pair(x)

    def _key_value(self, attn: Attention, tokens: Tensor, side: Side | None) -> KeyValue:
        key, value = (_heads(attn, self._project(attn, name, tokens, side)) for name in ("to_k", "to_v"))
        return KeyValue(key, value)

    def keys(self, attn: Attention, context: Tensor, split: Split | None) -> tuple[KeyValue, ...]:
        """Keys and values of all tokens, or of the foreground's and the background's."""
        context = context.to(attn.to_k.weight.dtype)  # type: ignore[union-attr]
        if split is None:
            return (self._key_value(attn, context, None),)
        first, second = context.chunk(2, dim=1)
        foreground, background = _sides(split)
        return self._key_value(attn, first, foreground), self._key_value(attn, second, background)

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        site: BlockContext,
    ) -> Tensor:
        """(B, N, C) -> (B, N, C).  diffusers' own arguments are its contract; what is attended to comes in ``site``."""
        attending = site.attending
        if isinstance(attending, CrossAttentionInput):
            keys = self.keys(attn, attending.context, attending.split)
            return _output(attn, self._attended(attn, hidden_states, keys, site, site.mask))
        keys, rows = attending.keys[site.number], attending.rows
        if rows is None:
            return _output(attn, self._attended(attn, hidden_states, keys, site, site.mask))
        bias = cast(nn.Linear, cast(nn.ModuleList, attn.to_out)[0]).bias
        out = bias.expand(hidden_states.shape).clone()
        if len(rows):
            mask = site.mask if site.mask is None or len(site.mask) == 1 else site.mask[rows]
            out[rows] = _output(attn, self._attended(attn, hidden_states[rows], keys, site, mask))
        return out

    def _attended(
        self, attn: Attention, x: Tensor, keys: tuple[KeyValue, ...], site: BlockContext, mask: Tensor | None
    ) -> Tensor:
        number, split, strength = site.number, site.attending.split, site.attending.strength[site.number]
        if split is None:
            return _attend(attn, self._project(attn, "to_q", x, None), keys[0]) * strength
        assert mask is not None
        sides = _sides(split)
        queries = [self._project(attn, "to_q", x, side) for side in dict.fromkeys(sides)]  # one when neither half has a pair
        foreground = _attend(attn, queries[0], keys[0]) * (strength * split.foreground_scale[number])
        background = _attend(attn, queries[-1], keys[1]) * (strength * split.background_scale[number])
        merge, threshold = split.merge[number], split.threshold[number]
        foreground = foreground * (1 - merge) + background * merge
        # At a mask of exactly the threshold, layers with pairs were trained on background, layers without on foreground.
        inside = mask > threshold if len(self.pairs) else mask >= threshold
        return torch.where(inside, foreground, background)


def _sides(split: Split) -> tuple[Side | None, Side | None]:
    return "foreground" if split.foreground_lora else None, "background" if split.background_lora else None


class ReferenceSelfAttention:
    """Self-attention that stores its input in a write pass and attends to stored tokens too in a read pass."""

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        site: BlockContext,
    ) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        query = attn.to_q(hidden_states)
        own = KeyValue(*(_heads(attn, linear(hidden_states)) for linear in (attn.to_k, attn.to_v)))  # type: ignore[misc]
        if site.record is not None:
            site.record.append(hidden_states)
        if site.memory is None:
            return _output(attn, _attend(attn, query, own))
        stored = site.memory.tokens[site.number]
        key, value = (_heads(attn, linear(stored)) for linear in (attn.to_k, attn.to_v))  # type: ignore[misc]
        extended = KeyValue(torch.cat([own.key, key], dim=2), torch.cat([own.value, value], dim=2))
        attended = _attend(attn, query, extended)
        for row, share in enumerate(site.memory.fidelity):
            if share > 0:
                alone = _attend(attn, query[row : row + 1], KeyValue(own.key[row : row + 1], own.value[row : row + 1]))
                attended[row : row + 1] = share * alone + (1 - share) * attended[row : row + 1]
        return _output(attn, attended)
