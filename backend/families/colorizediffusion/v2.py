"""ColorizeDiffusion v2 (checkpoints ``v2-*``): the background and the style of references have encoders of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import nn

from backend.contract.family import ModelSpec
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.families.colorizediffusion.spec import (
    BACKGROUND,
    REFERENCE_SIDE,
    STYLE,
    STYLE_BACKGROUND,
    STYLE_FOREGROUND,
    V2_MODES,
    VANILLA,
    v2_parameters,
)
from backend.weights.state_dict import Shapes
from shared.protocol import Finish

if TYPE_CHECKING:  # these load transformers and diffusers' networks
    from torch import Tensor

    from backend.families.colorizediffusion.conditioning import BuildReference, Encoders, ReferenceConditioning, ReferenceInputs
    from backend.families.colorizediffusion.options import Strengths

SPEC = ModelSpec(
    name="v2",
    title="ColorizeDiffusion v2",
    license="CC BY-NC-SA 4.0",
    finishes=(Finish.PAINTED, Finish.FLATS),
    reference_side=REFERENCE_SIDE,
    modes=V2_MODES,
    parameters=v2_parameters(),
)

PAIRED_LAYERS = range(7, 16)
"""The cross-attention layers with low-rank pairs: the decoder's (spec 10)."""
STYLED = (STYLE, STYLE_BACKGROUND, STYLE_FOREGROUND)
"""Modes with the style encoder."""
ENCODED = (BACKGROUND, STYLE_BACKGROUND)
"""Modes with the background encoder."""
CACHE_SIZE = 4
"""Images whose features and vectors are cached, for each encoder."""


def build_networks(shapes: Shapes, config: NetworkConfig) -> dict[str, nn.Module]:
    """The networks of a checkpoint with tensors of these shapes."""
    from backend.families.colorizediffusion.checkpoint import network_configs

    return {
        **network_configs.common_networks(shapes, config, PAIRED_LAYERS),
        "background_encoder": network_configs.background_encoder(shapes, config),
        "style_encoder": network_configs.style_encoder(shapes, config),
        "warp_modules": network_configs.warp_modules(shapes, config),
        "style_modules": network_configs.style_modules(shapes),
    }


def reference_builder(encoders: Encoders, extras: Mapping[str, nn.Module], config: NetworkConfig) -> BuildReference:
    """Builds the conditioning on the reference for each mode (spec 13).  Encoders run once for each image and size."""
    from dataclasses import replace

    from backend.families.colorizediffusion.conditioning import (
        background_image,
        extra_part,
        split_conditioning,
        whole_conditioning,
    )
    from backend.families.colorizediffusion.preprocessing import squash
    from backend.families.runtime.content_cache import ContentCache
    from backend.networks.colorizediffusion.hooks import UNetHooks, keep_output, keep_skip
    from backend.networks.colorizediffusion.reference.reference_encoder import BackgroundEncoder, StyleEncoder, embed_size
    from backend.networks.colorizediffusion.reference.style_modules import StyleModulation, StyleModules
    from backend.networks.colorizediffusion.reference.warp_modules import SkipWarp, WarpModules
    from backend.networks.colorizediffusion.resized_mask import ResizedMask

    warp_modules = extra_part(extras, "warp_modules", WarpModules)
    style_modules = extra_part(extras, "style_modules", StyleModules)
    encode_background: ContentCache[list[Tensor]] = ContentCache(
        extra_part(extras, "background_encoder", BackgroundEncoder), CACHE_SIZE
    )
    encode_style: ContentCache[list[Tensor]] = ContentCache(extra_part(extras, "style_encoder", StyleEncoder), CACHE_SIZE)

    def encode(encoder: ContentCache[list[Tensor]], image: Tensor, tokens: Tensor, inputs: ReferenceInputs) -> list[Tensor]:
        target = inputs.image_size
        size = embed_size((image.shape[-2], image.shape[-1]), target)
        return encoder(encoders.latent(squash(image, *target)), tokens, size)

    def style_vectors(strengths: Strengths, inputs: ReferenceInputs) -> list[Tensor]:
        """The main reference's, with those of the background reference mixed in."""
        vectors = encode(encode_style, inputs.reference, inputs.tokens, inputs)
        if inputs.background is None or not strengths.style_mixing:
            return vectors
        others = encode(encode_style, inputs.background, encoders.patch_tokens(inputs.background), inputs)
        share = strengths.style_mixing
        return [one * (1 - share) + other * share for one, other in zip(vectors, others, strict=True)]

    def background_features(mode: str, strengths: Strengths, inputs: ReferenceInputs, tokens: Tensor) -> list[Tensor]:
        """What the encoder finds in the background.  tokens: the background's own."""
        # The published program shows the encoder the background's own tokens in one case alone (spec 13, quirk Q7).
        follows_program = (strengths.background_context or config.background_context) == "reference"
        own = inputs.background is not None and mode == BACKGROUND if follows_program else True
        features = encode(encode_background, background_image(strengths, inputs), tokens if own else inputs.tokens, inputs)
        return [feature * strengths.background_factor for feature in features]

    def build(mode: str, strengths: Strengths, inputs: ReferenceInputs) -> ReferenceConditioning:
        modulate = StyleModulation(style_modules, style_vectors(strengths, inputs)) if mode in STYLED else keep_output
        if mode in (VANILLA, STYLE):
            return replace(whole_conditioning(inputs.tokens, strengths), hooks=UNetHooks(modulate=modulate))
        second, transform_skip = inputs.tokens, keep_skip
        if mode in ENCODED or (mode == STYLE_FOREGROUND and inputs.background is not None):
            second = encoders.patch_tokens(background_image(strengths, inputs))
        if mode in ENCODED:
            features = background_features(mode, strengths, inputs, second)
            transform_skip = SkipWarp(warp_modules, features, ResizedMask(inputs.mask), strengths.sketch_threshold)
        conditioning = split_conditioning(
            (inputs.tokens, second),
            strengths,
            inputs.mask,
            foreground_pair="foreground" if mode in ENCODED else None,
            background_pair="background" if mode in ENCODED else None,
        )
        return replace(conditioning, hooks=UNetHooks(transform_skip=transform_skip, modulate=modulate))

    return build
