"""What networks share that are trained beside a frozen U-Net."""

from torch import Tensor, nn

from backend.families.colorizediffusion.checkpoint.loader import Parts
from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput, Split
from backend.networks.colorizediffusion.half_selectors import HardSelector
from backend.networks.colorizediffusion.hooks import UNetHooks
from backend.training.colorizediffusion.stages.stage import move_to_device_of


class FrozenUNetNetwork(nn.Module):
    """A base class: its modules are what is trained; the U-Net that they act in is hidden from optimizer, average and file."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._full_strength, self._zero_strength = map(parts.version.layers.constant, (1.0, 0.0))
        self._unet = (parts.unet,)  # torch does not look into tuples

    def run_unet(
        self, noisy: Tensor, time: Tensor, context: Tensor, hooks: UNetHooks, lowered_mask: Tensor | None = None
    ) -> Tensor:
        """Noisy latents (B, 4, h, w) -> the output of that shape.

        context: tokens (B, n, C), or (B, 2 n, C), the foreground's before the background's, with a mask.
        lowered_mask: (B, 1, h, w), foreground above 0; None = no split attention.
        """
        full, zero = self._full_strength, self._zero_strength
        split = None
        if lowered_mask is not None:
            split = Split(lowered_mask, full, full, zero, HardSelector(zero), "foreground", "background")
        return move_to_device_of(self._unet[0], noisy)(noisy, time, CrossAttentionInput(context, full, split), hooks)
