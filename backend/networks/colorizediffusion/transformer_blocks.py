"""The transformer blocks of a U-Net by number, and the attention processors they are given."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import nn

from backend.networks.colorizediffusion.attention import ReferenceSelfAttention, SplitAttention
from backend.networks.colorizediffusion.attention_inputs import Ranks

Processors = Mapping[str, Any]


def transformer_blocks(unet: UNet2DConditionModel) -> list[nn.Module]:
    """The transformer blocks in the order in which the published models number them: down, middle, up.

    A transformer may hold several: v1 and v1.5 have 16 transformers of one block, XL has 70 blocks in 11 transformers.
    """
    levels = [*unet.down_blocks, unet.mid_block, *unet.up_blocks]
    transformers = [transformer for level in levels for transformer in getattr(level, "attentions", ())]
    return [block for transformer in transformers for block in transformer.transformer_blocks]


def cross_attentions(unet: UNet2DConditionModel) -> list[Attention]:
    """The cross-attention layer of each transformer block, in that order; none where blocks have self-attention alone."""
    layers = [cast(Any, block).attn2 for block in transformer_blocks(unet)]
    return [layer for layer in layers if layer is not None]


def low_rank_pairs(unet: UNet2DConditionModel) -> nn.ModuleList:
    """The low-rank pairs of each cross-attention layer, in that order; nothing where a layer has none."""
    return nn.ModuleList(cast(SplitAttention, attn.processor).pairs for attn in cross_attentions(unet))


def install_processors(unet: UNet2DConditionModel, ranks: Sequence[Ranks]) -> Processors:
    """Give every attention layer its processor; return what was there before.

    ``ranks`` are the low-rank pairs of each cross-attention layer.
    """
    before = dict(unet.attn_processors)
    # diffusers sets processors by the names of layers, so each layer is looked up by its identity.
    names = {id(module): f"{name}.processor" for name, module in unet.named_modules()}
    self_attentions = [cast(Any, block).attn1 for block in transformer_blocks(unet)]
    processors: dict[str, Any] = {
        names[id(layer)]: ReferenceSelfAttention(number) for number, layer in enumerate(self_attentions)
    }
    for number, (layer, layer_ranks) in enumerate(zip(cross_attentions(unet), ranks, strict=True)):
        processors[names[id(layer)]] = SplitAttention(layer, number, layer_ranks)
    unet.set_attn_processor(processors)
    return before


def restore_processors(unet: UNet2DConditionModel, before: Processors) -> None:
    """Put back the processors that ``install_processors`` returned."""
    unet.set_attn_processor(dict(before))  # diffusers empties the dictionary it is given
