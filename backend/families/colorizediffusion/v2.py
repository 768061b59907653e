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
    STYLE_FOREGROUND,
    V2_ENCODED,
    V2_MODES,
    V2_STYLED,
    VANILLA,
    v2_parameters,
)
from backend.weights.state_dict import Shapes
from shared.protocol import Finish

if TYPE_CHECKING:  # these load transformers and diffusers' networks
    from torch import Tensor

    from backend.families.colorizediffusion.conditioning import (
        BuildReference,
        Encoders,
        ReferenceConditioning,
        ReferenceInputs,
        Size,
    )
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


def uses_background(mode: str, strengths: Strengths) -> bool:
    """Whether a background reference changes the result in this mode."""
    return mode in V2_ENCODED or mode == STYLE_FOREGROUND or (mode == STYLE and strengths.style_mixing > 0)


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

    def encode(
        encoder: ContentCache[list[Tensor]], image: Tensor, size: Size, tokens: Tensor, inputs: ReferenceInputs
    ) -> list[Tensor]:
        """size: the image's own, which it may have lost on its way here."""
        target = inputs.image_size
        return encoder(encoders.latent(squash(image, *target)), tokens, embed_size(size, target))

    def style_vectors(strengths: Strengths, inputs: ReferenceInputs) -> list[Tensor]:
        """The main reference's, with those of the background reference mixed in."""
        vectors = encode(encode_style, inputs.reference, inputs.reference_size, inputs.tokens, inputs)
        if inputs.background is None or not strengths.style_mixing:
            return vectors
        others = encode(encode_style, inputs.background, inputs.background_size, encoders.tokens(inputs.background), inputs)
        share = strengths.style_mixing
        return [one * (1 - share) + other * share for one, other in zip(vectors, others, strict=True)]

    def background_features(mode: str, strengths: Strengths, inputs: ReferenceInputs, tokens: Tensor) -> list[Tensor]:
        """What the encoder finds in the background.  tokens: the background's own."""
        # The published program shows the encoder the background's own tokens in one case alone (spec 13, quirk Q7).
        follows_program = (strengths.background_context or config.background_context) == "reference"
        own = inputs.background is not None and mode == BACKGROUND if follows_program else True
        size = inputs.reference_size if inputs.background is None else inputs.background_size
        image = background_image(strengths, inputs)
        features = encode(encode_background, image, size, tokens if own else inputs.tokens, inputs)
        factor = strengths.background_factor
        return features if factor == 1 else [feature * factor for feature in features]

    def build(mode: str, strengths: Strengths, inputs: ReferenceInputs) -> ReferenceConditioning:
        modulate = StyleModulation(style_modules, style_vectors(strengths, inputs)) if mode in V2_STYLED else keep_output
        if mode in (VANILLA, STYLE):
            return replace(whole_conditioning(inputs.tokens, strengths), hooks=UNetHooks(modulate=modulate))
        second, transform_skip = inputs.tokens, keep_skip
        if mode in V2_ENCODED or (mode == STYLE_FOREGROUND and inputs.background is not None):
            second = encoders.tokens(background_image(strengths, inputs))
        if mode in V2_ENCODED:
            features = background_features(mode, strengths, inputs, second)
            transform_skip = SkipWarp(warp_modules, features, ResizedMask(inputs.mask), strengths.sketch_threshold)
        conditioning = split_conditioning(
            (inputs.tokens, second),
            strengths,
            inputs.mask,
            foreground_pair="foreground" if mode in V2_ENCODED else None,
            background_pair="background" if mode in V2_ENCODED else None,
        )
        return replace(conditioning, hooks=UNetHooks(transform_skip=transform_skip, modulate=modulate))

    return build
