"""What the U-Net's cross-attention sees in each mode of v1 and v1.5 (spec sections 9, 13 and 14)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.families.colorizediffusion.preprocessing import whiten_background
from backend.families.colorizediffusion.spec import BACKGROUND, BOTH, BOTH_PUBLISHED, FOREGROUND, MASKED, VANILLA
from backend.families.colorizediffusion.strengths import Strengths, constant_per_layer
from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput, Split
from backend.networks.colorizediffusion.half_selectors import HardSelector
from backend.networks.colorizediffusion.token_transformer import ThresholdEmbedder, TokenTransformer


@dataclass(frozen=True)
class ConditioningInputs:
    """What a context is made of.

    tokens: the patch tokens of the reference, edited or not, (1, 256, C).  reference: its picture (1, 3, h, w) in -1..1, and
    its figure mask (1, 1, h, w) 0..1.  background: a picture for the ground alone, or None.  mask: the drawing's figure at
    latent size, (1, 1, H/8, W/8).
    """

    tokens: Tensor
    reference: Tensor
    reference_mask: Tensor
    background: Tensor | None
    mask: Tensor


@dataclass(frozen=True)
class ContextBuilder:
    """The modes.  encode: patch tokens (1, 256, C) of a picture (1, 3, h, w) in -1..1; the rest is v1.5's, None for v1."""

    encode: Callable[[Tensor], Tensor]
    threshold: ThresholdEmbedder | None
    transformer: TokenTransformer | None

    def attending(self, mode: str, strength: Strengths, given: ConditioningInputs) -> CrossAttentionInput:
        """What the conditional branch attends to in a mode of ``description``."""
        if mode == VANILLA:
            return CrossAttentionInput(given.tokens, strength.reference, None)
        split = Split(
            mask=given.mask,
            foreground_scale=strength.foreground,
            background_scale=strength.background,
            merge=strength.mixing,
            selector=HardSelector(constant_per_layer(strength.sketch_threshold)),
            foreground_pair="foreground" if mode in (FOREGROUND, BOTH, BOTH_PUBLISHED) else None,
            background_pair="background" if mode in (BACKGROUND, BOTH, BOTH_PUBLISHED) else None,
        )
        return CrossAttentionInput(torch.cat(self._parts(mode, strength, given), 1), strength.reference, split)

    def _parts(self, mode: str, strength: Strengths, given: ConditioningInputs) -> tuple[Tensor, ...]:
        """The context's parts: the figure's half first, then the ground's."""
        if mode == FOREGROUND:
            return given.tokens, given.tokens
        ground = self.encode(ground_picture(strength, given))
        if mode == MASKED:
            return given.tokens, ground
        if self.threshold is None or self.transformer is None:
            raise ValueError(f"{mode} is no mode of v1")
        ground = ground + self._embedded(strength.reference_threshold, ground)
        if given.background is None:  # the tokens of a background picture are taken as they are (spec 13, v1.5)
            ground = self.transformer(ground)
        figure = given.tokens + self._embedded(strength.sketch_threshold, ground)
        if mode == BOTH_PUBLISHED:  # quirk Q2: all of it twice, so that each side sees both
            return figure, ground, figure, ground
        return figure, ground

    def _embedded(self, value: float, like: Tensor) -> Tensor:
        assert self.threshold is not None
        return self.threshold(torch.tensor([value], device=like.device)).to(like.dtype)


def ground_picture(strength: Strengths, given: ConditioningInputs) -> Tensor:
    """What colors the ground: a picture of its own, else the reference with its figure painted white (spec 13)."""
    if given.background is not None:
        return given.background
    return whiten_background(given.reference, given.reference_mask < strength.reference_threshold)
