"""v2's style: decoder blocks are scaled and shifted by vectors of a reference and of the time (spec 12.5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn


class StyleModule(nn.Module):
    """Makes scale and shift of one decoder block with ``width`` channels; changes nothing until it is trained."""

    def __init__(self, width: int, time_width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(2 * width)
        self.time = nn.Linear(time_width, 2 * width)
        self.output = nn.Linear(2 * width, 2 * width)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, x: Tensor, vector: Tensor, time: Tensor) -> Tensor:
        """``x`` (B, C, h, w) for a style vector (B or 1, 2 C) and a time embedding (B, time width)."""
        scale, shift = self.output(self.norm(vector + self.time(time)))[:, :, None, None].chunk(2, dim=1)
        return x * (1 + scale) + shift


class StyleModules(nn.Module):
    """One for each decoder block, the deepest first; ``widths`` are those of their outputs.  Full size: 72.6 M parameters."""

    def __init__(self, widths: Sequence[int], time_width: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(StyleModule(width, time_width) for width in widths)


@dataclass(frozen=True)
class StyleModulation:
    """A ``Modulation`` by the style of a reference."""

    modules: StyleModules
    vectors: Sequence[Tensor]
    """Of ``StyleEncoder``, for each decoder block (B or 1, 2 C)."""

    def __call__(self, index: int, output: Tensor, time: Tensor) -> Tensor:
        """See ``Modulation``."""
        module = cast(StyleModule, self.modules.blocks[index])
        return module(output, self.vectors[index].to(output.dtype), time)
