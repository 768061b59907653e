"""What the U-Net is told of the reference: the pieces of which each version makes its modes (spec sections 9, 13 and 14)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor, nn

from backend.families.colorizediffusion.options import Strengths
from backend.families.colorizediffusion.preprocessing import whiten_background
from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput, Side, Split
from backend.networks.colorizediffusion.half_selectors import HardSelector
from backend.networks.colorizediffusion.hooks import UNetHooks

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Encoders:
    """What a version may compute of an image (1, 3, h, w) in -1..1."""

    patch_tokens: Callable[[Tensor], Tensor]
    """(1, 256, C)"""
    latent: Callable[[Tensor], Tensor]
    """(1, 4, h/8, w/8), scaled."""


@dataclass(frozen=True)
class ReferenceInputs:
    """What there is of reference and drawing."""

    tokens: Tensor
    """Patch tokens of the reference, edited or not, (1, 256, C)."""
    reference: Tensor
    """(1, 3, h, w) in -1..1."""
    reference_mask: Tensor
    """Foreground of the reference, (1, 1, h, w) in 0..1."""
    background: Tensor | None
    """An image for the background alone, (1, 3, h', w') in -1..1, or None."""
    mask: Tensor
    """Foreground of the drawing at latent size, (1, 1, H/8, W/8), not clamped."""


@dataclass(frozen=True)
class ReferenceConditioning:
    """What the U-Net is told beside the noisy latent and the lines; every tensor has one row."""

    cross_attention: CrossAttentionInput
    hooks: UNetHooks = field(default_factory=UNetHooks)
    vector: Tensor | None = None
    """See ``ReferenceUNet.forward``."""


BuildReference = Callable[[str, Strengths, ReferenceInputs], ReferenceConditioning]
"""(mode, strengths, inputs) -> what the branches that see the reference are told."""


def extra_part(extras: Mapping[str, nn.Module], name: str, network: type[Network]) -> Network:
    """The extra part of that name.  TypeError when it is not such a network, or not there."""
    part = extras.get(name)
    if not isinstance(part, network):
        raise TypeError(f"{name} is no {network.__name__}")
    return part


def whole_conditioning(tokens: Tensor, strengths: Strengths) -> ReferenceConditioning:
    """All positions see all tokens (1, n, C)."""
    return ReferenceConditioning(CrossAttentionInput(tokens, strengths.reference, None))


def split_conditioning(
    halves: tuple[Tensor, ...],
    strengths: Strengths,
    mask: Tensor,
    foreground_pair: Side | None = None,
    background_pair: Side | None = None,
) -> ReferenceConditioning:
    """The foreground sees the first half of all tokens, the background the second, divided by the latent mask (spec 9).

    The pairs name the low-rank weights that a half uses, None for none.
    """
    split = Split(
        mask=mask,
        foreground_scale=strengths.foreground,
        background_scale=strengths.background,
        merge=strengths.mixing,
        selector=HardSelector((strengths.sketch_threshold,) * len(strengths.reference)),
        foreground_pair=foreground_pair,
        background_pair=background_pair,
    )
    return ReferenceConditioning(CrossAttentionInput(torch.cat(halves, 1), strengths.reference, split))


def background_image(strengths: Strengths, inputs: ReferenceInputs) -> Tensor:
    """What colors the background: an image of its own, else the reference with its foreground painted white (spec 13)."""
    if inputs.background is not None:
        return inputs.background
    return whiten_background(inputs.reference, inputs.reference_mask < strengths.reference_threshold)
