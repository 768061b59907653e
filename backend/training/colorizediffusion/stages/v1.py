"""The stage that trains v1: U-Net and sketch encoder learn to restore an image from its lines and itself (spec 21.2)."""

from typing import Any

from torch import Tensor, nn

from backend.families.colorizediffusion.checkpoint.loader import Parts
from backend.families.colorizediffusion.versions import V1
from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput
from backend.networks.colorizediffusion.hooks import UNetHooks
from backend.training.colorizediffusion.batch import Batch
from backend.training.colorizediffusion.objective import add_token_noise
from backend.training.colorizediffusion.stages import stage_table
from backend.training.colorizediffusion.stages.stage import Stage


class V1Network(nn.Module):
    """The networks that are trained."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.unet, self.sketch_encoder = parts.unet, parts.sketch_encoder
        self._full_strength = parts.version.layers.constant(1.0)

    def forward(self, noisy: Tensor, time: Tensor, sketch: Tensor, tokens: Tensor) -> Tensor:
        """Noisy latents (B, 4, h, w), times (B,), sketches (B, 3, H, W), reference tokens (B, n, C) -> (B, 4, h, w)."""
        hooks = UNetHooks(self.sketch_encoder(sketch))
        return self.unet(noisy, time, CrossAttentionInput(tokens, self._full_strength, None), hooks)


class V1Stage(Stage):
    """See ``engine.task.Task``.

    A v1.5 checkpoint is no start: the low-rank pairs in its U-Net would stay and add to what is learned here.
    """

    info = stage_table.V1
    version = V1
    start_versions = (V1,)

    @classmethod
    def build_network(cls, parts: Parts) -> nn.Module:
        """See ``Stage``."""
        return V1Network(parts)

    def predict(self, network: Any, batch: Batch, noisy: Tensor) -> Tensor:
        """With the tokens of the image itself as reference, all zero where the reference is dropped."""
        tokens = self.encode_tokens(batch.reference, batch.warp)
        if len(batch.token_seed):
            tokens = add_token_noise(tokens, batch.token_seed, batch.time)
        return network(noisy, batch.time, batch.sketch, tokens * batch.reference_kept[:, None, None])
