"""ISNet: segments the main object of an image with sharp edges.

Source: X. Qin, H. Dai, X. Hu, D.-P. Fan, L. Shao, L. Van Gool, "Highly Accurate Dichotomous Image Segmentation", ECCV 2022; its
blocks are those of X. Qin et al., "U2-Net: Going deeper with nested U-structure for salient object detection", Pattern
Recognition 106, 2020.  Modules bear the names of the published weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

DEPTHS = {"stage1": 7, "stage2": 6, "stage3": 5, "stage4": 4, "stage5": 0, "stage6": 0}
"""Levels of the small U-Net in each stage of the encoder; 0 = ``DilatedResidualUBlock``.  Stages 1d to 5d of the decoder
have as many."""
STAGES = (*DEPTHS, *(f"{stage}d" for stage in DEPTHS if stage != "stage6"))


@dataclass(frozen=True)
class StageWidths:
    """Channels of one stage: its input, inside its small U-Net, its output."""

    into: int
    """Of its input."""
    inner: int
    """Inside its small U-Net."""
    out: int
    """Of its output."""


PUBLISHED_WIDTHS = {
    "stage1": StageWidths(64, 32, 64),
    "stage2": StageWidths(64, 32, 128),
    "stage3": StageWidths(128, 64, 256),
    "stage4": StageWidths(256, 128, 512),
    "stage5": StageWidths(512, 256, 512),
    "stage6": StageWidths(512, 256, 512),
    "stage5d": StageWidths(1024, 256, 512),
    "stage4d": StageWidths(1024, 128, 256),
    "stage3d": StageWidths(512, 64, 128),
    "stage2d": StageWidths(256, 32, 64),
    "stage1d": StageWidths(128, 16, 64),
}
"""The published size."""


class ConvNormReLU(nn.Module):
    """Convolution, batch normalization, ReLU; height and width stay."""

    def __init__(self, into: int, out: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv_s1 = nn.Conv2d(into, out, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(out)

    def forward(self, x: Tensor) -> Tensor:
        """(B, into, H, W) to (B, out, H, W)."""
        return F.relu(self.bn_s1(self.conv_s1(x)))


class ResidualUBlock(nn.Module):
    """A small U-Net of ``depth`` levels with a residual connection (RSU); the lowest level dilates instead of halving."""

    def __init__(self, depth: int, widths: StageWidths) -> None:
        super().__init__()
        self._depth = depth
        self.rebnconvin = ConvNormReLU(widths.into, widths.out)
        for level in range(1, depth + 1):
            into = widths.out if level == 1 else widths.inner
            self.add_module(f"rebnconv{level}", ConvNormReLU(into, widths.inner, 2 if level == depth else 1))
        for level in range(depth - 1, 0, -1):
            self.add_module(f"rebnconv{level}d", ConvNormReLU(2 * widths.inner, widths.out if level == 1 else widths.inner))

    def forward(self, x: Tensor) -> Tensor:
        """(B, into, H, W) to (B, out, H, W)."""
        residual = self.rebnconvin(x)
        features = [_child(self, "rebnconv1")(residual)]
        for level in range(2, self._depth):
            features.append(_child(self, f"rebnconv{level}")(max_pool(features[-1])))
        # The lowest level dilates, so its input is not halved again.
        x = _child(self, f"rebnconv{self._depth}")(features[-1])
        for level in range(self._depth - 1, 0, -1):
            skip = features[level - 1]
            x = _child(self, f"rebnconv{level}d")(torch.cat([resize_like(x, skip), skip], 1))
        return x + residual


class DilatedResidualUBlock(nn.Module):
    """A ``ResidualUBlock`` of four levels that dilates instead of halving, for maps that are small already (RSU-4F)."""

    def __init__(self, widths: StageWidths) -> None:
        super().__init__()
        self.rebnconvin = ConvNormReLU(widths.into, widths.out)
        self.rebnconv1 = ConvNormReLU(widths.out, widths.inner)
        self.rebnconv2 = ConvNormReLU(widths.inner, widths.inner, 2)
        self.rebnconv3 = ConvNormReLU(widths.inner, widths.inner, 4)
        self.rebnconv4 = ConvNormReLU(widths.inner, widths.inner, 8)
        self.rebnconv3d = ConvNormReLU(2 * widths.inner, widths.inner, 4)
        self.rebnconv2d = ConvNormReLU(2 * widths.inner, widths.inner, 2)
        self.rebnconv1d = ConvNormReLU(2 * widths.inner, widths.out)

    def forward(self, x: Tensor) -> Tensor:
        """(B, into, H, W) to (B, out, H, W)."""
        residual = self.rebnconvin(x)
        first = self.rebnconv1(residual)
        second = self.rebnconv2(first)
        third = self.rebnconv3(second)
        x = self.rebnconv3d(torch.cat([self.rebnconv4(third), third], 1))
        x = self.rebnconv2d(torch.cat([x, second], 1))
        return self.rebnconv1d(torch.cat([x, first], 1)) + residual


class ISNet(nn.Module):
    """The network for inference, without the five further outputs of the published weights that only training needs."""

    def __init__(self, channels: int = 3, stem: int = 64, widths: Mapping[str, StageWidths] = PUBLISHED_WIDTHS) -> None:
        """ValueError when the widths of two stages do not fit each other."""
        super().__init__()
        _check_widths(stem, widths)
        self.conv_in = nn.Conv2d(channels, stem, 3, stride=2, padding=1)
        for stage in STAGES:
            depth = DEPTHS[stage.removesuffix("d")]
            self.add_module(stage, ResidualUBlock(depth, widths[stage]) if depth else DilatedResidualUBlock(widths[stage]))
        self.side1 = nn.Conv2d(widths["stage1d"].out, 1, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, 1, H, W), above 0 = foreground, of (B, C, H, W); H and W at least 64."""
        x = self.conv_in(image)
        features: list[Tensor] = []
        for stage in DEPTHS:
            x = _child(self, stage)(max_pool(features[-1]) if features else x)
            features.append(x)
        # Upwards: stage 5d reads stage 6 and the skip of stage 5, and so on to stage 1d.
        for stage, skip in zip(reversed(DEPTHS), reversed(features[:-1]), strict=False):
            number = int(stage.removeprefix("stage")) - 1
            x = _child(self, f"stage{number}d")(torch.cat([resize_like(x, skip), skip], 1))
        return resize_like(self.side1(x), image)


def max_pool(x: Tensor) -> Tensor:
    """(B, C, H, W) to half the height and width, rounded up: the maximum of each 2 x 2."""
    return F.max_pool2d(x, 2, ceil_mode=True)


def resize_like(x: Tensor, other: Tensor) -> Tensor:
    """``x`` resized to the height and width of ``other``."""
    return F.interpolate(x, size=other.shape[2:], mode="bilinear", align_corners=False)


def _child(module: nn.Module, name: str) -> nn.Module:
    return module.get_submodule(name)


def _check_widths(stem: int, widths: Mapping[str, StageWidths]) -> None:
    """Raise ValueError when a stage's input is not as wide as what it is given."""
    out = stem
    for stage in DEPTHS:
        if widths[stage].into != out:
            raise ValueError(f"{stage} takes {widths[stage].into} channels and gets {out}")
        out = widths[stage].out
    for number in range(len(DEPTHS) - 1, 0, -1):
        stage, skip = f"stage{number}d", widths[f"stage{number}"].out
        if widths[stage].into != out + skip:
            raise ValueError(f"{stage} takes {widths[stage].into} channels and gets {out + skip}")
        out = widths[stage].out
