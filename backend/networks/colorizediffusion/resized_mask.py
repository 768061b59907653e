"""A mask at the sizes of a U-Net's levels."""

from torch import Tensor
from torch.nn import functional as F


class ResizedMask:
    """A mask of the latent's size at each size that layers ask for: bicubic, not clamped."""

    def __init__(self, mask: Tensor | None) -> None:
        self._mask = mask
        self._resized: dict[tuple[int, int], Tensor] = {}

    def at(self, size: tuple[int, int]) -> Tensor | None:
        """(B or 1, h w, 1); None where there is no mask."""
        if self._mask is None:
            return None
        if size not in self._resized:
            mask = self._mask
            if mask.shape[-2:] != size:
                mask = F.interpolate(mask.float(), size, mode="bicubic")
            self._resized[size] = mask.flatten(2).transpose(1, 2)
        return self._resized[size]
