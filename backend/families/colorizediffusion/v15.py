"""ColorizeDiffusion v1.5 (checkpoints ``switch-*``): the mode chooses low-rank weights for foreground and background."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import nn

from backend.contract.family import ModelSpec
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.families.colorizediffusion.layers import SD2_LAYERS
from backend.families.colorizediffusion.spec import (
    BACKGROUND,
    BOTH,
    BOTH_PUBLISHED,
    FOREGROUND,
    REFERENCE_SIDE,
    V15_MODES,
    VANILLA,
    parameters,
)
from backend.weights.state_dict import Shapes
from shared.protocol import Finish

if TYPE_CHECKING:  # these load transformers and diffusers' networks
    from torch import Tensor

    from backend.families.colorizediffusion.conditioning import BuildReference, Encoders, ReferenceConditioning, ReferenceInputs
    from backend.families.colorizediffusion.options import Strengths

SPEC = ModelSpec(
    name="v1.5",
    title="ColorizeDiffusion v1.5",
    license="CC BY-NC-SA 4.0",
    finishes=(Finish.PAINTED, Finish.FLATS),
    reference_side=REFERENCE_SIDE,
    modes=V15_MODES,
    parameters=parameters((FOREGROUND, BACKGROUND, BOTH, BOTH_PUBLISHED), (BACKGROUND, BOTH, BOTH_PUBLISHED)),
)


def build_networks(shapes: Shapes, config: NetworkConfig) -> dict[str, nn.Module]:
    """The networks of a checkpoint with tensors of these shapes; the U-Net has low-rank pairs."""
    from backend.families.colorizediffusion.checkpoint import network_configs

    return {
        **network_configs.common_networks(shapes, config, paired_layers=range(SD2_LAYERS.count)),
        "threshold_embedder": network_configs.threshold_embedder(shapes),
        "token_transformer": network_configs.token_transformer(shapes, config),
    }


def uses_background(mode: str, strengths: Strengths) -> bool:
    """Whether a background reference changes the result in this mode."""
    return mode not in (VANILLA, FOREGROUND)


def reference_builder(encoders: Encoders, extras: Mapping[str, nn.Module], config: NetworkConfig) -> BuildReference:
    """Builds the conditioning on the reference for each mode (spec 13), with threshold embedder and token transformer."""
    import torch

    from backend.families.colorizediffusion.conditioning import (
        background_image,
        extra_part,
        split_conditioning,
        whole_conditioning,
    )
    from backend.networks.colorizediffusion.reference.token_transformer import ThresholdEmbedder, TokenTransformer

    embedder = extra_part(extras, "threshold_embedder", ThresholdEmbedder)
    transformer = extra_part(extras, "token_transformer", TokenTransformer)

    def threshold_token(threshold: float, like: Tensor) -> Tensor:
        return embedder(torch.tensor([threshold], device=like.device)).to(like.dtype)

    def halves(mode: str, strengths: Strengths, inputs: ReferenceInputs) -> tuple[Tensor, ...]:
        """The tokens of the foreground's half, then those of the background's."""
        # Both halves see the same tokens here; the foreground's low-rank pair alone makes the difference.
        if mode == FOREGROUND:
            return inputs.tokens, inputs.tokens
        background = encoders.tokens(background_image(strengths, inputs))
        background = background + threshold_token(strengths.reference_threshold, background)
        if inputs.background is None:  # only the main reference's tokens are transformed, not a background reference's
            background = transformer(background)
        foreground = inputs.tokens + threshold_token(strengths.sketch_threshold, background)
        if mode == BOTH_PUBLISHED:  # quirk Q2 of the published program: each half sees both
            return foreground, background, foreground, background
        return foreground, background

    def build(mode: str, strengths: Strengths, inputs: ReferenceInputs) -> ReferenceConditioning:
        if mode == VANILLA:
            return whole_conditioning(inputs.tokens, strengths)
        # A half adds its low-rank pair only in the modes that give it weights of its own.
        return split_conditioning(
            halves(mode, strengths, inputs),
            strengths,
            inputs.mask,
            foreground_pair="foreground" if mode in (FOREGROUND, BOTH, BOTH_PUBLISHED) else None,
            background_pair="background" if mode in (BACKGROUND, BOTH, BOTH_PUBLISHED) else None,
        )

    return build
