"""v2's injection of a background: skips are warped where the mask says background (spec 12.4)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from backend.networks.colorizediffusion.reference.cross_attention_layer import CrossAttentionLayer
from backend.networks.colorizediffusion.resized_mask import ResizedMask


class WarpModules(nn.Module):
    """One layer for the skip of each decoder block, the deepest first.  ``widths`` are those of the skips.

    Full size: 118.1 M parameters.
    """

    def __init__(self, widths: Sequence[int], head_dim: int = 64) -> None:
        super().__init__()
        self.layers = nn.ModuleList(CrossAttentionLayer(width, head_dim) for width in widths)
        for layer in self.layers:  # a new layer's MLP adds nothing until it is trained
            nn.init.zeros_(layer.mlp[2].weight)  # type: ignore[arg-type, index, union-attr]
            nn.init.zeros_(layer.mlp[2].bias)  # type: ignore[arg-type, index, union-attr]


@dataclass(frozen=True)
class SkipWarp:
    """A ``SkipTransform`` that lets a skip look at a background, outside of the foreground alone."""

    modules: WarpModules
    features: Sequence[Tensor]
    """Of ``BackgroundEncoder``, for each decoder block (B or 1, n, C)."""
    mask: ResizedMask
    """The drawing's foreground."""
    threshold: float
    """The mask value above which a position is foreground."""

    def __call__(self, index: int, skip: Tensor) -> Tensor:
        """See ``SkipTransform``."""
        mask = self.mask.at((skip.shape[-2], skip.shape[-1]))
        assert mask is not None
        foreground = mask[..., 0] > self.threshold
        x = skip.flatten(2).transpose(1, 2)
        # In training every module takes part in every step, also where all is foreground, and so does every process.
        by_row = len(foreground) == len(x) and (len(x) > 1 or torch.is_grad_enabled())
        warped = self._warp_rows(index, x, foreground) if by_row else self._warp(index, x, foreground[0])
        return warped.transpose(1, 2).unflatten(2, skip.shape[-2:])

    def _warp(self, index: int, x: Tensor, foreground: Tensor) -> Tensor:
        """Rows (B, N, C) with one mask (N,): positions see the background, not each other, so the others cost nothing."""
        positions = torch.nonzero(~foreground).flatten()
        out = x.clone()
        if len(positions):
            tokens = self.features[index].to(x.dtype).expand(len(x), -1, -1)
            out[:, positions] = self.modules.layers[index](x[:, positions], tokens)
        return out

    def _warp_rows(self, index: int, x: Tensor, foreground: Tensor) -> Tensor:
        """Rows (B, N, C) that have a mask (B, N) each, as in training."""
        tokens = self.features[index].to(x.dtype).expand(len(x), -1, -1)
        return torch.where(foreground[..., None], x, self.modules.layers[index](x, tokens))
