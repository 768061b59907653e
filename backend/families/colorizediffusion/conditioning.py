"""Conditioning of the U-Net on the reference: what the modes of all versions are made of (spec sections 9, 13 and 14)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor, nn

from backend.families.colorizediffusion.options import Strengths
from backend.families.colorizediffusion.preprocessing import whiten_background
from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput, Half, Split
from backend.networks.colorizediffusion.half_selectors import HalfSelector, HardSelector
from backend.networks.colorizediffusion.hooks import UNetHooks

Network = TypeVar("Network", bound=nn.Module)
Size = tuple[int, int]
"""Height and width, in pixels."""


@dataclass(frozen=True)
class Encoders:
    """Encoders that a version may use.  Each takes an image (1, 3, h, w) in -1..1."""

    tokens: Callable[[Tensor], Tensor]
    """Gives what cross-attention sees of an image, (1, n, C)."""
    latent: Callable[[Tensor], Tensor]
    """Gives the scaled latent (1, 4, h/8, w/8)."""


@dataclass(frozen=True)
class ReferenceInputs:
    """The reference and the drawing's mask, from which a version builds its conditioning."""

    tokens: Tensor
    """Patch tokens of the reference, after text edits, (1, 256, C)."""
    reference: Tensor
    """The reference itself, (1, 3, h, w) in -1..1."""
    reference_mask: Tensor
    """Foreground of the reference, (1, 1, h, w) in 0..1."""
    background: Tensor | None
    """The background reference, (1, 3, h', w') in -1..1, or None."""
    mask: Tensor
    """Foreground of the drawing at latent size, (1, 1, H/8, W/8), not clamped."""
    reference_size: Size
    """Height and width that the reference has in its file or layer."""
    background_size: Size = (0, 0)
    """The same of the background reference; (0, 0) = there is none."""

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the model's image, in pixels."""
        return 8 * self.mask.shape[-2], 8 * self.mask.shape[-1]


@dataclass(frozen=True)
class ReferenceConditioning:
    """Conditioning of the U-Net besides the noisy latent and the lines.  Every tensor has one row."""

    cross_attention: CrossAttentionInput
    hooks: UNetHooks = field(default_factory=UNetHooks)
    vector: Tensor | None = None
    """See ``ReferenceUNet.forward``."""


ReferenceTokens = Callable[[Tensor, Tensor], Tensor]
"""(all tokens of the image encoder (1, n, C), after text edits; the image (1, 3, h, w)) -> what attention sees (1, m, D)."""
BuildReference = Callable[[str, Strengths, ReferenceInputs], ReferenceConditioning]
"""(mode, strengths, inputs) -> the conditioning of the branches that see the reference."""


def extra_part(extras: Mapping[str, nn.Module], name: str, network: type[Network]) -> Network:
    """The extra part of that name.  Raises TypeError when it is missing or not such a network."""
    part = extras.get(name)
    if not isinstance(part, network):
        raise TypeError(f"{name} is not a {network.__name__}")
    return part


def whole_conditioning(tokens: Tensor, strengths: Strengths) -> ReferenceConditioning:
    """Every position attends to all tokens (1, n, C)."""
    return ReferenceConditioning(CrossAttentionInput(tokens, strengths.reference, None))


def split_conditioning(
    halves: tuple[Tensor, ...],
    strengths: Strengths,
    mask: Tensor,
    foreground_pair: Half | None = None,
    background_pair: Half | None = None,
    selector: HalfSelector | None = None,
) -> ReferenceConditioning:
    """Split attention: the foreground attends to the first half of all tokens, the background to the second (spec 9).

    selector: how the mask chooses; None = ``HardSelector`` with the drawing's threshold.

    mask: the drawing's foreground at latent size.  The pairs name the low-rank weights of a half; None = none.
    """
    split = Split(
        mask=mask,
        foreground_scale=strengths.foreground,
        background_scale=strengths.background,
        merge=strengths.mixing,
        selector=selector or HardSelector((strengths.sketch_threshold,) * len(strengths.reference)),
        foreground_pair=foreground_pair,
        background_pair=background_pair,
    )
    return ReferenceConditioning(CrossAttentionInput(torch.cat(halves, 1), strengths.reference, split))


def background_image(strengths: Strengths, inputs: ReferenceInputs) -> Tensor:
    """The image that colors the background: its own reference, else the main one with its foreground whitened (spec 13)."""
    if inputs.background is not None:
        return inputs.background
    return whiten_background(inputs.reference, inputs.reference_mask < strengths.reference_threshold)
