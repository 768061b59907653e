"""Stage 2 of v2: style encoder and style modules learn what the reference's tokens do not tell."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from backend.families.colorizediffusion.checkpoint.loader import Parts
from backend.families.colorizediffusion.conditioning import extra_part
from backend.networks.colorizediffusion.hooks import UNetHooks
from backend.networks.colorizediffusion.reference.reference_encoder import StyleEncoder
from backend.networks.colorizediffusion.reference.style_modules import StyleModulation, StyleModules
from backend.training.colorizediffusion.batch import Batch
from backend.training.colorizediffusion.stages import stage_table
from backend.training.colorizediffusion.stages.frozen_unet import FrozenUNetNetwork
from backend.training.colorizediffusion.stages.reference_stage import EncoderInputs, ReferenceStage
from backend.training.colorizediffusion.stages.stage import move_to_device_of


class StyleNetwork(FrozenUNetNetwork):
    """The networks that are trained."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.style_encoder = extra_part(parts.extras, "style_encoder", StyleEncoder)
        self.style_modules = extra_part(parts.extras, "style_modules", StyleModules)

    def forward(
        self,
        noisy: Tensor,
        time: Tensor,
        sketch_features: Mapping[str, Tensor],
        context: Tensor,
        encoder_inputs: EncoderInputs,
    ) -> Tensor:
        """Noisy latents (B, 4, h, w) -> the output of that shape.  context: the reference's tokens (B, n, C)."""
        modulate = StyleModulation(self.style_modules, self.style_encoder(*encoder_inputs))
        return self.run_unet(noisy, time, context, UNetHooks(sketch_features, modulate=modulate))


class StyleStage(ReferenceStage):
    """See ``engine.task.Task``.  As in the mode Style, no mask is used."""

    info = stage_table.V2_STYLE

    @classmethod
    def build_network(cls, parts: Parts) -> nn.Module:
        """See ``Stage``."""
        return StyleNetwork(parts)

    def predict(self, network: Any, batch: Batch, noisy: Tensor) -> Tensor:
        """Where the reference is dropped, its tokens are; its style stays, as in guidance."""
        tokens = self.encode_tokens(batch.reference, batch.warp)
        with torch.no_grad():
            sketch_features = move_to_device_of(self.parts.sketch_encoder, batch.sketch)(batch.sketch)
        inputs = self.encoder_inputs(batch, batch.reference, tokens)
        return network(noisy, batch.time, sketch_features, tokens * batch.reference_kept[:, None, None], inputs)
