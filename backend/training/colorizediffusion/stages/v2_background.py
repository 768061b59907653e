"""Stage 1 of v2: background encoder, warp modules and low-rank pairs learn to paint a background after its own reference."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from backend.families.colorizediffusion.checkpoint.config import BackgroundContext
from backend.families.colorizediffusion.checkpoint.loader import Parts
from backend.families.colorizediffusion.conditioning import extra_part
from backend.networks.colorizediffusion.hooks import UNetHooks
from backend.networks.colorizediffusion.reference.reference_encoder import BackgroundEncoder
from backend.networks.colorizediffusion.reference.warp_modules import SkipWarp, WarpModules
from backend.networks.colorizediffusion.resized_mask import ResizedMask
from backend.networks.colorizediffusion.transformer_blocks import low_rank_pairs
from backend.training.colorizediffusion.batch import Batch
from backend.training.colorizediffusion.stages import stage_table
from backend.training.colorizediffusion.stages.bleaching import background_reference, erase_background_lines, whiten_target
from backend.training.colorizediffusion.stages.frozen_unet import FrozenUNetNetwork
from backend.training.colorizediffusion.stages.reference_stage import EncoderInputs, ReferenceStage, lower_mask
from backend.training.colorizediffusion.stages.stage import move_to_device_of
from backend.training.colorizediffusion.stages.v2_new_networks import has_learned


class BackgroundNetwork(FrozenUNetNetwork):
    """The networks that are trained.  Of the U-Net these are the low-rank pairs of the decoder alone."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.pairs = low_rank_pairs(parts.unet.unet)
        self.background_encoder = extra_part(parts.extras, "background_encoder", BackgroundEncoder)
        self.warp_modules = extra_part(parts.extras, "warp_modules", WarpModules)

    def forward(
        self,
        noisy: Tensor,
        time: Tensor,
        sketch_features: Mapping[str, Tensor],
        context: Tensor,
        encoder_inputs: EncoderInputs,
        lowered_mask: Tensor,
    ) -> Tensor:
        """Noisy latents (B, 4, h, w) -> the output of that shape.

        context: tokens (B, 2 n, C) of the reference and of its background.  lowered_mask: (B, 1, h, w), foreground above 0.
        """
        features = self.background_encoder(*encoder_inputs)
        warp = SkipWarp(self.warp_modules, features, ResizedMask(lowered_mask), threshold=0.0)
        return self.run_unet(noisy, time, context, UNetHooks(sketch_features, warp), lowered_mask)


class BackgroundStage(ReferenceStage):
    """See ``engine.task.Task``."""

    info = stage_table.V2_BACKGROUND

    @classmethod
    def build_network(cls, parts: Parts) -> nn.Module:
        """See ``Stage``."""
        return BackgroundNetwork(parts)

    def load_start(self) -> Parts:
        """See ``Stage``.  The networks are used in the way that they learn.

        Unless one is asked for, an encoder that has learned goes on with its context; a new one learns with the background's
        own tokens, as in the paper (spec 21.4).
        """
        parts = super().load_start()
        has_context = has_learned(extra_part(parts.extras, "background_encoder", BackgroundEncoder))
        learned = parts.config.background_context if has_context else None
        context = self.start.background_context or learned or "background"
        self.notice = _context_notice(self.start.path.name, learned, context)
        self._parts = replace(parts, config=replace(parts.config, background_context=context))
        return self._parts

    def batch(self, rng: np.random.Generator) -> Batch:
        """A batch of random images, bleached; the background reference is made from the image itself."""
        return bleach(super().batch(rng))

    def predict(self, network: Any, batch: Batch, noisy: Tensor) -> Tensor:
        """Where the reference is dropped, its tokens and the background's are; what the encoder sees stays, as in guidance."""
        tokens, own = (self.encode_tokens(image, batch.warp) for image in (batch.reference, batch.background))
        with torch.no_grad():
            sketch_features = move_to_device_of(self.parts.sketch_encoder, batch.sketch)(batch.sketch)
        seen = own if self.parts.config.background_context == "background" else tokens
        return network(
            noisy,
            batch.time,
            sketch_features,
            torch.cat([tokens, own], 1) * batch.reference_kept[:, None, None],
            self.encoder_inputs(batch, batch.background, seen),
            lower_mask(batch.mask, batch.thresholds[:, 0]),
        )


def _context_notice(start: str, learned: BackgroundContext | None, context: BackgroundContext) -> str:
    """A sentence where an encoder has learned with another context than a new one would, or than it will from now on."""
    if learned is None or learned == context == "background":
        return ""
    from_now_on = "it goes on with them" if learned == context else f"from now on it sees the {context}'s"
    return f"The background encoder of {start} has learned with the tokens of the {learned}; {from_now_on}."


def bleach(batch: Batch) -> Batch:
    """The batch with its background reference, without lines in the background, and with white backgrounds where drawn."""
    sketch_threshold, reference_threshold = batch.thresholds.unbind(1)
    is_white, whiteness = batch.has_white_background, batch.whiteness
    return batch._replace(
        color=whiten_target(batch.color, batch.mask, sketch_threshold, is_white),
        sketch=erase_background_lines(batch.sketch, batch.mask, sketch_threshold),
        background=background_reference(batch.reference, batch.reference_mask, reference_threshold, is_white, whiteness),
    )
