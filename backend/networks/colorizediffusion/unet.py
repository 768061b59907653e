"""The U-Net that colors a sketch by a reference: diffusers' blocks, with sketch features and attention as arguments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from backend.networks.colorizediffusion.attention import (
    BlockContext,
    CachedKeyValues,
    CrossAttentionInput,
    Ranks,
    ReferenceFeatures,
    ReferenceSelfAttention,
    SplitAttention,
)

Processors = Mapping[str, Any]


def install_processors(unet: UNet2DConditionModel, ranks: Sequence[Ranks]) -> Processors:
    """Give every attention layer its processor, with ``ranks`` for the cross-attention layers; return what was there before."""
    before = dict(unet.attn_processors)
    made: dict[str, Any] = {name: ReferenceSelfAttention() for name in before}
    names = {id(module): f"{name}.processor" for name, module in unet.named_modules()}
    for attn, layer in zip(cross_attentions(unet), ranks, strict=True):
        made[names[id(attn)]] = SplitAttention(attn, layer)
    unet.set_attn_processor(made)
    return before


def restore_processors(unet: UNet2DConditionModel, before: Processors) -> None:
    """Put back the processors that ``install_processors`` returned."""
    unet.set_attn_processor(dict(before))  # diffusers empties the dictionary it is given


def transformers(unet: UNet2DConditionModel) -> list[nn.Module]:
    """The transformers in the order in which the published models number them: down, middle, up."""
    blocks = [*unet.down_blocks, unet.mid_block, *unet.up_blocks]
    return [attention for block in blocks for attention in getattr(block, "attentions", ())]


def cross_attentions(unet: UNet2DConditionModel) -> list[Attention]:
    """The cross-attention layers in that order."""
    return [cast(Any, transformer).transformer_blocks[0].attn2 for transformer in transformers(unet)]


@dataclass
class _ForwardState:
    """One walk: the numbers of its transformer blocks, and the mask at each size it meets.

    ``again``: inner values of blocks are not kept for the gradients but computed again.
    """

    attending: CrossAttentionInput | CachedKeyValues
    again: bool = False
    memory: ReferenceFeatures | None = None
    record: list[Tensor] | None = None
    number: int = 0

    def __post_init__(self) -> None:
        self._masks: dict[tuple[int, int], Tensor] = {}

    def mask(self, size: tuple[int, int]) -> Tensor | None:
        """The latent mask as (B, h w, 1) at a layer's size: bicubic, not clamped."""
        split = self.attending.split
        if split is None:
            return None
        if size not in self._masks:
            mask = split.mask
            if mask.shape[-2:] != size:
                mask = F.interpolate(mask.float(), size, mode="bicubic")
            self._masks[size] = mask.flatten(2).transpose(1, 2)
        return self._masks[size]

    def site(self, x: Tensor) -> dict[str, BlockContext]:
        """The next block's ``cross_attention_kwargs``."""
        number, self.number = self.number, self.number + 1
        return {"site": BlockContext(number, self.attending, self.mask((x.shape[-2], x.shape[-1])), self.memory, self.record)}

    def transform(self, transformer: Any, x: Tensor) -> Tensor:
        """(B, C, h, w) through one of the numbered transformers."""
        return self.through(transformer, x, cross_attention_kwargs=self.site(x), return_dict=False)[0]

    def through(self, block: Any, *given: Any, **named: Any) -> Any:
        """A block's own answer."""
        if self.again and torch.is_grad_enabled():
            return checkpoint(block, *given, use_reentrant=False, **named)
        return block(*given, **named)


class ReferenceUNet(nn.Module):
    """A U-Net with five sketch features added to its stream, and cross-attention to reference tokens.

    ``ranks`` are the low-rank pairs of each cross-attention layer, empty where it has none.
    """

    def __init__(self, unet: UNet2DConditionModel, ranks: Sequence[Ranks] | None = None) -> None:
        super().__init__()
        self.unet = unet
        self.checkpointing = False  # in training: less memory for a third more time
        layers = len(cross_attentions(unet))
        self._before = install_processors(unet, ranks if ranks is not None else [{}] * layers)

    @property
    def layers(self) -> int:
        """How many cross-attention layers there are: 16."""
        return len(cross_attentions(self.unet))

    def unwrap(self) -> UNet2DConditionModel:
        """The plain U-Net, as it was before; this object is of no more use."""
        restore_processors(self.unet, self._before)
        return self.unet

    def prepare(self, attending: CrossAttentionInput) -> CachedKeyValues:
        """Compute what stays the same for all steps of one picture.  Waits for the device once, to find the zero rows."""
        zero = (attending.context == 0).flatten(1).all(dim=1)
        rows = None if not bool(zero.any()) else torch.nonzero(~zero).flatten()
        context = attending.context if rows is None else attending.context[rows]
        keys = tuple(
            cast(SplitAttention, attn.processor).keys(attn, context, attending.split) for attn in cross_attentions(self.unet)
        )
        return CachedKeyValues(keys, rows, attending.strength, attending.split)

    def encode_reference(
        self,
        latent: Tensor,
        timestep: Tensor,
        features: tuple[Tensor, ...],
        attending: CrossAttentionInput | CachedKeyValues,
        fidelity: tuple[float, ...],
    ) -> ReferenceFeatures:
        """The write pass of attention injection: a noised latent of the reference, with ``fidelity`` for the rows that read."""
        record: list[Tensor] = []
        self._forward(latent, timestep, features, _ForwardState(attending, record=record))
        return ReferenceFeatures(tuple(record), fidelity)

    def forward(
        self,
        latent: Tensor,
        timestep: Tensor,
        features: tuple[Tensor, ...],
        attending: CrossAttentionInput | CachedKeyValues,
        memory: ReferenceFeatures | None = None,
    ) -> Tensor:
        """The network's output (B, 4, h, w) for a noisy latent (B, 4, h, w) at time step () or (B,), whole or fractional.

        ``features`` are the sketch encoder's five (B or 1, width, .., ..), already times the sketch strength.
        """
        return self._forward(latent, timestep, features, _ForwardState(attending, self.checkpointing, memory))

    def _forward(self, latent: Tensor, timestep: Tensor, features: tuple[Tensor, ...], one: _ForwardState) -> Tensor:
        unet = cast(Any, self.unet)
        times = unet.time_proj(timestep.expand(len(latent))).to(unet.time_embedding.linear_1.weight.dtype)
        x = latent.to(unet.conv_in.weight.dtype)
        time = unet.time_embedding(times).to(x.dtype)  # the time MLP may be wider than the blocks
        features = tuple(feature.to(x.dtype) for feature in features)
        x = unet.conv_in(x) + features[0]
        skips = [x]
        for level, block in enumerate(unet.down_blocks):
            x = self._down(block, x, time, one, skips)
            if block.downsamplers is not None:
                x = block.downsamplers[0](x) + features[1 + level]
                skips.append(x)
        x = skips[-1] = x + features[-1]  # the last block of the lowest level
        x = one.through(unet.mid_block.resnets[0], x, time)
        x = one.transform(unet.mid_block.attentions[0], x)
        x = one.through(unet.mid_block.resnets[1], x, time)
        for block in unet.up_blocks:
            x = self._up(block, x, time, one, skips)
        x = unet.conv_norm_out(x.to(unet.conv_norm_out.weight.dtype))
        return unet.conv_out(unet.conv_act(x)).to(latent.dtype)

    @staticmethod
    def _down(block: Any, x: Tensor, time: Tensor, one: _ForwardState, skips: list[Tensor]) -> Tensor:
        for i, resnet in enumerate(block.resnets):
            x = one.through(resnet, x, time)
            if hasattr(block, "attentions"):
                x = one.transform(block.attentions[i], x)
            skips.append(x)
        return x

    @staticmethod
    def _up(block: Any, x: Tensor, time: Tensor, one: _ForwardState, skips: list[Tensor]) -> Tensor:
        for i, resnet in enumerate(block.resnets):
            x = one.through(resnet, torch.cat([x, skips.pop()], dim=1), time)
            if hasattr(block, "attentions"):
                x = one.transform(block.attentions[i], x)
        if block.upsamplers is not None:
            x = block.upsamplers[0](x, tuple(skips[-1].shape[-2:]))
        return x
