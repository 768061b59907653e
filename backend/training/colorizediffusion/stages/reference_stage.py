"""What the stages of v2's reference encoders share: the latent and the size that an encoder sees of an image."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from backend.families.colorizediffusion.checkpoint.loader import Parts
from backend.families.colorizediffusion.preprocessing import squash
from backend.families.colorizediffusion.versions import V1, V2
from backend.networks.colorizediffusion.reference.reference_encoder import embed_size
from backend.training.colorizediffusion.batch import Batch
from backend.training.colorizediffusion.stages.stage import Stage
from backend.training.colorizediffusion.stages.v2_new_networks import expand_to_v2


class EncoderInputs(NamedTuple):
    """What an encoder of references sees."""

    latent: Tensor
    """(B, 4, h, w), scaled, without noise."""
    tokens: Tensor
    """(B, n, C)."""
    size: Tensor
    """(B, 512)."""


class ReferenceStage(Stage):
    """A stage that trains an encoder of references; the backbone is frozen."""

    version = V2
    start_versions = (V1, V2)

    @classmethod
    def expand(cls, parts: Parts) -> Parts:
        """See ``Stage``."""
        return expand_to_v2(parts)

    @torch.no_grad()
    def encoder_inputs(self, batch: Batch, image: Tensor, tokens: Tensor) -> EncoderInputs:
        """Of an image (B, 3, R, R) that is made from the reference.

        The size is the reference's own, before it is stretched for the batch: inference knows that one, too.
        """
        target = (batch.color.shape[-2], batch.color.shape[-1])
        sizes = [(int(height), int(width)) for height, width in batch.reference_size.tolist()]
        size = torch.cat([embed_size(each, target) for each in sizes]).to(image)
        return EncoderInputs(self.sample_latent(squash(image, *target), batch.reference_noise), tokens, size)


def lower_mask(mask: Tensor, thresholds: Tensor) -> Tensor:
    """Masks (B, 1, H, W) at latent size, less each row's threshold (B,): what is above 0 is foreground.

    Bicubic weights sum to 1, so a threshold may be subtracted before the mask is resized further.
    """
    return F.interpolate(mask, scale_factor=1 / 8, mode="bicubic") - thresholds[:, None, None, None]
