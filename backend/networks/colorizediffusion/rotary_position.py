"""Rotary position embedding in two dimensions (Su et al. 2021; spec XL 4)."""

import torch
from torch import Tensor

PERIOD = 10000.0


class RotaryPosition:
    """The rotation of queries and keys on a grid of tokens: half of a head's channels turn by the row, half by the column.

    exact: False multiplies by cosines of 16 bits instead of rotating, as the released program does by mistake.
    """

    def __init__(self, height: int, width: int, head_dim: int, device: torch.device, exact: bool = True) -> None:
        pairs = head_dim // 4
        # Neighboring channels make a pair; its angle falls with its number.
        rates = PERIOD ** (-torch.arange(pairs, device=device, dtype=torch.float64) / pairs)
        rows = torch.arange(height, device=device)[:, None, None] * rates
        columns = torch.arange(width, device=device)[None, :, None] * rates
        angles = torch.cat([rows.expand(-1, width, -1), columns.expand(height, -1, -1)], -1).flatten(0, 1)
        # Without its imaginary part, the published program's table has the 16 bits of its weights.
        self._cosine = angles.cos().float() if exact else angles.cos().half().float()
        self._sine = angles.sin().float() if exact else torch.zeros_like(self._cosine)

    def rotate(self, x: Tensor) -> Tensor:
        """(B, heads, n, head_dim), row by row -> the same, rotated."""
        first, second = x.float().unflatten(-1, (-1, 2)).unbind(-1)
        real = first * self._cosine - second * self._sine
        imaginary = first * self._sine + second * self._cosine
        return torch.stack([real, imaginary], -1).flatten(-2).to(x.dtype)
