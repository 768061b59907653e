"""The sketch encoder of v1, v1.5 and v2: what a line drawing adds to a U-Net at five places."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

TRUNK = (16, 16, 32, 32, 96, 96, 256)
"""Widths of the trunk except its last one, which is the first stage's."""
STAGES = (320, 640, 1280, 1280)
BLOCKS = (
    "conv_in",
    "down_blocks.0.downsamplers.0",
    "down_blocks.1.downsamplers.0",
    "down_blocks.2.downsamplers.0",
    "down_blocks.3.resnets.1",
)
"""The blocks of the U-Net that the features are added to, see ``UNetHooks.sketch_features``."""


def _conv(width: int, to: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(width, to, 3, stride, padding=1)


class SketchEncoder(nn.Module):
    """Convolutions without normalization.  They see neither time step nor reference, so a drawing is encoded once.

    ``trunk`` and ``stages`` are widths.  Full size: 64.0 M parameters.
    """

    def __init__(self, trunk: Sequence[int] = TRUNK, stages: Sequence[int] = STAGES, channels: int = 3) -> None:
        super().__init__()
        widths = (channels, *trunk, stages[0])
        strides = (1, 1, 2, 1, 2, 1, 2, 1)
        self.trunk = nn.ModuleList(_conv(a, b, stride) for (a, b), stride in zip(pairwise(widths), strides, strict=True))
        plan = zip(pairwise((stages[0], *stages)), (2, 2, 2, 1), strict=True)
        self.stages = nn.ModuleList(nn.ModuleList([_conv(a, b, stride), _conv(b, b, 1)]) for (a, b), stride in plan)
        self.outputs = nn.ModuleList(nn.Conv2d(width, width, 1) for width in (stages[0], *stages))
        for output in self.outputs:  # a new encoder adds nothing until it is trained
            nn.init.zeros_(output.weight)  # type: ignore[arg-type]
            nn.init.zeros_(output.bias)  # type: ignore[arg-type]

    def forward(self, sketch: Tensor) -> dict[str, Tensor]:
        """Features of a sketch (B, 3, H, W) in [-1, 1] with lines at +1 and paper at -1, by ``BLOCKS``; H, W divisible by 64.

        Sizes H/8, H/16, H/32, H/64 and H/64, widths as ``stages`` with the first one twice.
        """
        x = self.trunk[0](sketch.to(self.trunk[0].weight.dtype))  # type: ignore[union-attr]
        for conv in self.trunk[1:]:
            x = conv(F.silu(x))
        features = [self.outputs[0](x)]
        for (first, second), output in zip(self.stages, self.outputs[1:], strict=True):  # type: ignore[misc]
            x = second(F.silu(first(F.silu(x))))
            features.append(output(x))
        return dict(zip(BLOCKS, features, strict=True))
