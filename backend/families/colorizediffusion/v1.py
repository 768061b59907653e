"""ColorizeDiffusion v1 (checkpoints ``mult-*``): one set of weights, used with or without masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import nn

from backend.contract.family import ModelSpec
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.families.colorizediffusion.spec import MASKED, REFERENCE_SIDE, V1_MODES, VANILLA, parameters
from backend.weights.state_dict import Shapes
from shared.protocol import Finish

if TYPE_CHECKING:  # these load transformers and diffusers' networks
    from backend.families.colorizediffusion.conditioning import (
        BuildReference,
        Encoders,
        ReferenceConditioning,
        ReferenceInputs,
        ReferenceTokens,
    )
    from backend.families.colorizediffusion.options import Strengths

SPEC = ModelSpec(
    name="v1",
    title="ColorizeDiffusion v1",
    license="CC BY-NC-SA 4.0",
    finishes=(Finish.PAINTED, Finish.FLATS),
    reference_side=REFERENCE_SIDE,
    modes=V1_MODES,
    parameters=parameters((MASKED,), (MASKED,)),
)


def build_networks(shapes: Shapes, config: NetworkConfig) -> dict[str, nn.Module]:
    """The networks of a checkpoint with tensors of these shapes."""
    from backend.families.colorizediffusion.checkpoint.network_configs import common_networks

    return common_networks(shapes, config, paired_layers=())


def reference_tokens(extras: Mapping[str, nn.Module]) -> ReferenceTokens:
    """Cross-attention sees CLIP's patch tokens.  extras: not used."""
    from backend.networks.clip import patch_tokens

    return lambda tokens, image: patch_tokens(tokens)


def uses_background(mode: str, strengths: Strengths) -> bool:
    """Whether a background reference changes the result in this mode."""
    return mode != VANILLA


def reference_builder(encoders: Encoders, extras: Mapping[str, nn.Module], config: NetworkConfig) -> BuildReference:
    """Builds the conditioning on the reference for each mode (spec 13).  v1 has no extra parts."""
    from backend.families.colorizediffusion.conditioning import background_image, split_conditioning, whole_conditioning

    def build(mode: str, strengths: Strengths, inputs: ReferenceInputs) -> ReferenceConditioning:
        if mode == VANILLA:
            return whole_conditioning(inputs.tokens, strengths)
        background = encoders.tokens(background_image(strengths, inputs))
        return split_conditioning((inputs.tokens, background), strengths, inputs.mask)

    return build
