"""ColorizeDiffusion XL (checkpoints ``sdxl*``): SDXL's size, and an anime tagger that reads references beside CLIP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import nn

from backend.contract.family import ModelSpec
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.families.colorizediffusion.spec import MASKED, REFERENCE_SIDE, V1_MODES, VANILLA, xl_parameters
from backend.weights.state_dict import Shapes
from shared.protocol import Finish

if TYPE_CHECKING:  # these load transformers and diffusers' networks
    from torch import Tensor

    from backend.families.colorizediffusion.conditioning import (
        BuildReference,
        Encoders,
        ReferenceConditioning,
        ReferenceInputs,
        ReferenceTokens,
    )
    from backend.families.colorizediffusion.options import Strengths

SPEC = ModelSpec(
    name="xl",
    title="ColorizeDiffusion XL",
    license="CC BY-NC-SA 4.0",
    finishes=(Finish.PAINTED, Finish.FLATS),
    reference_side=REFERENCE_SIDE,
    modes=V1_MODES,
    parameters=xl_parameters((MASKED,)),
)
SCORE = 7.0
"""The aesthetic score that the network is told (spec XL 3.2)."""
CACHE_SIZE = 4
"""Images whose tagger tokens are cached."""


def build_networks(shapes: Shapes, config: NetworkConfig) -> dict[str, nn.Module]:
    """The networks of a checkpoint with tensors of these shapes."""
    from backend.families.colorizediffusion.checkpoint import network_configs, xl_network_configs

    return {
        "unet": xl_network_configs.reference_unet(shapes, config),
        "sketch_encoder": xl_network_configs.sketch_encoder(shapes, config),
        "vae": network_configs.autoencoder(shapes, config),
        "context_projection": xl_network_configs.context_projection(shapes, config),
    }


def reference_tokens(extras: Mapping[str, nn.Module]) -> ReferenceTokens:
    """Joins CLIP's tokens with the tagger's (spec XL 5.3)."""
    from backend.families.colorizediffusion.conditioning import extra_part
    from backend.families.runtime.content_cache import ContentCache
    from backend.networks.colorizediffusion.reference.context_projection import ContextProjection
    from backend.networks.tagger import Tagger

    projection = extra_part(extras, "context_projection", ContextProjection)
    tagger = extra_part(extras, "tagger", Tagger)
    tag: ContentCache[Tensor] = ContentCache(tagger, CACHE_SIZE)

    def join(tokens: Tensor, image: Tensor) -> Tensor:
        return projection(tokens, tag(image.to(tokens.device)).float())

    return join


def uses_background(mode: str, strengths: Strengths) -> bool:
    """Whether a background reference changes the result in this mode."""
    return mode == MASKED


def size_vector(inputs: ReferenceInputs, config: NetworkConfig) -> Tensor:
    """(1, n): how large the image is, and how good (spec XL 3.2)."""
    from backend.networks.colorizediffusion.reference.reference_encoder import embed_numbers

    height, width = inputs.image_size
    return embed_numbers(((height * width) ** 0.5, SCORE), config.size_waves).to(inputs.mask.device)


def reference_builder(encoders: Encoders, extras: Mapping[str, nn.Module], config: NetworkConfig) -> BuildReference:
    """Builds the conditioning on the reference for each mode (spec XL 6)."""
    from dataclasses import replace

    from backend.families.colorizediffusion.conditioning import background_image, split_conditioning, whole_conditioning
    from backend.networks.colorizediffusion.half_selectors import BiasedSelector, HardSelector

    def build(mode: str, strengths: Strengths, inputs: ReferenceInputs) -> ReferenceConditioning:
        vector = size_vector(inputs, config)
        if mode == VANILLA:
            return replace(whole_conditioning(inputs.tokens, strengths), vector=vector)
        background = encoders.tokens(background_image(strengths, inputs))
        thresholds = (strengths.sketch_threshold,) * len(strengths.reference)
        # The published program computes one attention where nothing is mixed, and the halves' strengths then do not count.
        # Here they do, so it is computed so only where they are 1; the two differ where the mask is exactly the threshold.
        has_own_strengths = any(value != 1 for value in (*strengths.foreground, *strengths.background))
        mixes = any(strengths.mixing) or has_own_strengths
        selector = HardSelector(thresholds) if mixes else BiasedSelector(thresholds)
        halves = (inputs.tokens, background)
        return replace(split_conditioning(halves, strengths, inputs.mask, selector=selector), vector=vector)

    return build
