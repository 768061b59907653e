"""One pass through diffusers' U-Net blocks, with hooks between them."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from backend.networks.colorizediffusion.attention_inputs import AttentionInputs, CachedKeyValues, CrossAttentionInput
from backend.networks.colorizediffusion.hooks import UNetHooks
from backend.networks.colorizediffusion.resized_mask import ResizedMask


@dataclass
class ForwardPass:
    """The three parts of a U-Net in one call: encoder, middle, decoder."""

    unet: Any
    """diffusers' ``UNet2DConditionModel`` with the processors of ``transformer_blocks``."""
    time: Tensor
    """The time embedding (B, 4 * width)."""
    cross_attention: CrossAttentionInput | CachedKeyValues
    hooks: UNetHooks
    checkpointing: bool = False
    """Whether the inner values of blocks are computed again for the gradients instead of kept."""
    recorded: dict[int, Tensor] | None = None
    """Takes the normalized self-attention input of every transformer block, where it is given."""

    def __post_init__(self) -> None:
        split, reference = self.cross_attention.split, self.hooks.reference
        self._split_mask = ResizedMask(None if split is None else split.mask)
        self._reference_mask = ResizedMask(None if reference is None else reference.mask)

    def encode(self, latent: Tensor) -> list[Tensor]:
        """Outputs (B, C, h, w) of all encoder blocks, the last one the deepest: they are the decoder's skips.

        Raises ValueError where a sketch feature names no block of the encoder.
        """
        # Features are taken out as they are used: what is left at the end belongs to no block.
        left = dict(self.hooks.sketch_features)

        def add_feature(name: str, x: Tensor) -> Tensor:
            feature = left.pop(name, None)
            return x if feature is None else x + feature.to(x.dtype)

        x = add_feature("conv_in", self.unet.conv_in(latent))
        skips = [x]
        for level, block in enumerate(self.unet.down_blocks):
            place = f"down_blocks.{level}"
            for i, (resnet, transformer) in enumerate(_layers(block)):
                x = add_feature(f"{place}.resnets.{i}", self._run(resnet, x, self.time))
                if transformer is not None:
                    x = add_feature(f"{place}.attentions.{i}", self._transform(transformer, x))
                skips.append(x)
            if block.downsamplers is not None:
                x = add_feature(f"{place}.downsamplers.0", block.downsamplers[0](x))
                skips.append(x)
        if left:
            raise ValueError(f"the encoder has no block {', '.join(left)}")
        return skips

    def middle(self, x: Tensor) -> Tensor:
        """(B, C, h, w) of the deepest level -> the same shape."""
        block = self.unet.mid_block
        x = self._run(block.resnets[0], x, self.time)
        x = self._transform(block.attentions[0], x)
        return self._run(block.resnets[1], x, self.time)

    def decode(self, x: Tensor, skips: list[Tensor]) -> Tensor:
        """The output of the last decoder block; the skips it uses are taken off the list."""
        index = 0
        for block in self.unet.up_blocks:
            layers = _layers(block)
            for i, (resnet, transformer) in enumerate(layers):
                skip = self._run(self.hooks.transform_skip, index, skips.pop())
                x = self._run(resnet, torch.cat([x, skip], dim=1), self.time)
                if transformer is not None:
                    x = self._transform(transformer, x)
                if i == len(layers) - 1 and block.upsamplers is not None:
                    # Odd sizes: up-sampling must end at the size of the next skip.
                    x = block.upsamplers[0](x, tuple(skips[-1].shape[-2:]))
                x = self._run(self.hooks.modulate, index, x, self.time)
                index += 1
        return x

    def _transform(self, transformer: Any, x: Tensor) -> Tensor:
        """(B, C, h, w) through one transformer."""
        size = (x.shape[-2], x.shape[-1])
        inputs = AttentionInputs(
            self.cross_attention,
            self._split_mask.at(size),
            self.hooks.reference,
            self._reference_mask.at(size),
            self.recorded,
        )
        return self._run(transformer, x, cross_attention_kwargs={"inputs": inputs}, return_dict=False)[0]

    def _run(self, block: Any, *inputs: Any, **options: Any) -> Any:
        if self.checkpointing and torch.is_grad_enabled():
            return checkpoint(block, *inputs, use_reentrant=False, **options)
        return block(*inputs, **options)


def _layers(block: Any) -> list[tuple[Any, Any]]:
    """The residual blocks of one level, each with the transformer behind it or None."""
    transformers = getattr(block, "attentions", None) or [None] * len(block.resnets)
    return list(zip(block.resnets, transformers, strict=True))
