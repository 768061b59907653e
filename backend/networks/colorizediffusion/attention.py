"""Attention processors of the reference U-Net: cross-attention split by a mask, and self-attention that sees a reference.

A processor holds weights and the number of its transformer block.  What a layer attends to, how strongly, which half sees
which tokens and which low-rank pairs are used are arguments of each call.
"""

from typing import cast

import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from backend.networks.colorizediffusion.attention_inputs import (
    AttentionInputs,
    CrossAttentionInput,
    Half,
    Projection,
    Ranks,
    Split,
)
from backend.networks.colorizediffusion.half_selectors import AttentionHalf, SplitCall
from backend.networks.colorizediffusion.hooks import ReferenceFeatures
from backend.networks.colorizediffusion.key_value import KeyValue


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


def _heads(attn: Attention, x: Tensor) -> Tensor:
    """(B, n, C) -> (B, heads, n, C / heads)."""
    return x.unflatten(-1, (attn.heads, -1)).transpose(1, 2)


def _output(attn: Attention, attended: Tensor) -> Tensor:
    """The output projection of attended values (B, N, C)."""
    out = cast(nn.ModuleList, attn.to_out)
    return out[1](out[0](attended))


class SplitAttention(nn.Module):
    """Cross-attention with a strength, and two halves of tokens where there is a split."""

    def __init__(self, attn: Attention, number: int, ranks: Ranks) -> None:
        super().__init__()
        self.number = number
        self.pairs = nn.ModuleDict()
        for name, halves in ranks.items():
            linear = cast(nn.Linear, getattr(attn, name))
            pairs = {half: LoraPair(linear.in_features, linear.out_features, rank) for half, rank in halves.items()}
            self.pairs[name] = nn.ModuleDict(pairs)

    def _project(self, attn: Attention, name: Projection, x: Tensor, pair: Half | None) -> Tensor:
        plain = cast(nn.Linear, getattr(attn, name))(x)
        if pair is None or name not in self.pairs:
            return plain
        return plain + cast(nn.ModuleDict, self.pairs[name])[pair](x)

    def _query(self, attn: Attention, x: Tensor, pair: Half | None) -> Tensor:
        return _heads(attn, self._project(attn, "to_q", x, pair))

    def _key_value(self, attn: Attention, tokens: Tensor, pair: Half | None) -> KeyValue:
        key, value = (_heads(attn, self._project(attn, name, tokens, pair)) for name in ("to_k", "to_v"))
        return KeyValue(key, value)

    def keys(self, attn: Attention, context: Tensor, split: Split | None) -> tuple[KeyValue, ...]:
        """Keys and values of all tokens, or of the foreground's and the background's."""
        context = context.to(attn.to_k.weight.dtype)  # type: ignore[union-attr]
        if split is None:
            return (self._key_value(attn, context, None),)
        first, second = context.chunk(2, dim=1)
        return self._key_value(attn, first, split.foreground_pair), self._key_value(attn, second, split.background_pair)

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        inputs: AttentionInputs,
    ) -> Tensor:
        """(B, N, C) -> (B, N, C).  The arguments before ``inputs`` are diffusers' contract and not used."""
        cross_attention, mask = inputs.cross_attention, inputs.split_mask
        if isinstance(cross_attention, CrossAttentionInput):
            keys = self.keys(attn, cross_attention.context, cross_attention.split)
            return _output(attn, self._attended(attn, hidden_states, keys, inputs, mask))
        keys, rows = cross_attention.keys[self.number], cross_attention.rows
        if rows is None:
            return _output(attn, self._attended(attn, hidden_states, keys, inputs, mask))
        # Rows without tokens attend to nothing: what is left of them is the bias of the output projection.
        bias = cast(nn.Linear, cast(nn.ModuleList, attn.to_out)[0]).bias
        out = bias.expand(hidden_states.shape).clone()
        if len(rows):
            mask = mask if mask is None or len(mask) == 1 else mask[rows]
            out[rows] = _output(attn, self._attended(attn, hidden_states[rows], keys, inputs, mask))
        return out

    def _attended(
        self, attn: Attention, x: Tensor, keys: tuple[KeyValue, ...], inputs: AttentionInputs, mask: Tensor | None
    ) -> Tensor:
        number, split = self.number, inputs.cross_attention.split
        strength = inputs.cross_attention.strength[number]
        if split is None:
            return keys[0].attend(self._query(attn, x, None)) * strength
        assert mask is not None
        first = self._query(attn, x, split.foreground_pair)
        # The halves ask alike unless their low-rank pairs differ: then a second query is worth its time.
        same = split.foreground_pair == split.background_pair
        second = first if same else self._query(attn, x, split.background_pair)
        call = SplitCall(
            number=number,
            foreground=AttentionHalf(first, keys[0], strength * split.foreground_scale[number]),
            background=AttentionHalf(second, keys[1], strength * split.background_scale[number]),
            strength=strength,
            merge=split.merge[number],
            mask=mask,
            has_pairs=len(self.pairs) > 0,
        )
        return split.selector.select(call)


class ReferenceSelfAttention:
    """Self-attention that stores its input where a pass asks for it, and sees the tokens that another pass stored."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        inputs: AttentionInputs,
    ) -> Tensor:
        """(B, N, C) -> (B, N, C).  The arguments before ``inputs`` are diffusers' contract and not used."""
        query, own = _heads(attn, attn.to_q(hidden_states)), _self_key_value(attn, hidden_states)
        if inputs.recorded is not None:
            inputs.recorded[self.number] = hidden_states
        reference = inputs.reference
        if reference is None or self.number not in reference.tokens:
            return _output(attn, own.attend(query))
        stored = _self_key_value(attn, reference.tokens[self.number]).expand(len(query))
        return _output(attn, _attend_to_reference(query, own, stored, reference, inputs.reference_mask))


def _self_key_value(attn: Attention, tokens: Tensor) -> KeyValue:
    return KeyValue(*(_heads(attn, linear(tokens)) for linear in (attn.to_k, attn.to_v)))  # type: ignore[misc]


def _attend_to_reference(
    query: Tensor, own: KeyValue, stored: KeyValue, reference: ReferenceFeatures, mask: Tensor | None
) -> Tensor:
    """Attended values (B, N, C) of queries (B, heads, N, d) that see ``stored`` tokens; ``mask`` is of this layer's size."""
    attended = (own.join(stored) if reference.beside_own else stored).attend(query)
    # Style fidelity: these rows attend in part as if there were no reference.
    for row, share in enumerate(reference.fidelity):
        if share > 0:
            alone = own.row(row).attend(query[row : row + 1])
            attended[row : row + 1] = share * alone + (1 - share) * attended[row : row + 1]
    if mask is None:
        return attended
    return torch.where(mask >= reference.threshold, attended, own.attend(query))
