"""ISNet: finds what a picture shows, cut out sharply.

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
"""Levels of the small U-Net in each stage of the encoder; 0 = ``DilatedUBlock``.  The decoder's stages 1d to 5d are alike."""
STAGES = (*DEPTHS, *(f"{stage}d" for stage in DEPTHS if stage != "stage6"))


@dataclass(frozen=True)
class StageWidths:
    """Channels of one stage."""

    into: int
    inner: int
    out: int


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
    """Convolution, batch normalization, ReLU; the size stays."""

    def __init__(self, into: int, out: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv_s1 = nn.Conv2d(into, out, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(out)

    def forward(self, x: Tensor) -> Tensor:
        """(B, into, H, W) to (B, out, H, W)."""
        return F.relu(self.bn_s1(self.conv_s1(x)))


class ResidualUBlock(nn.Module):
    """A small U-Net of ``depth`` levels whose answer is added to what went in; the lowest one dilates instead of halving."""

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
        entered = self.rebnconvin(x)
        seen = [_child(self, "rebnconv1")(entered)]
        for level in range(2, self._depth):
            seen.append(_child(self, f"rebnconv{level}")(max_pool(seen[-1])))
        answer = _child(self, f"rebnconv{self._depth}")(seen[-1])
        for level in range(self._depth - 1, 0, -1):
            beside = seen[level - 1]
            answer = _child(self, f"rebnconv{level}d")(torch.cat([resize_like(answer, beside), beside], 1))
        return answer + entered


class DilatedResidualUBlock(nn.Module):
    """``UBlock`` of four levels that dilates where the other halves, for stages that are small already."""

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
        entered = self.rebnconvin(x)
        first = self.rebnconv1(entered)
        second = self.rebnconv2(first)
        third = self.rebnconv3(second)
        answer = self.rebnconv3d(torch.cat([self.rebnconv4(third), third], 1))
        answer = self.rebnconv2d(torch.cat([answer, second], 1))
        return self.rebnconv1d(torch.cat([answer, first], 1)) + entered


class ISNet(nn.Module):
    """The network as it is used.  What only training needs of the published weights, five more outputs, is not in it."""

    def __init__(self, channels: int = 3, stem: int = 64, widths: Mapping[str, StageWidths] = PUBLISHED_WIDTHS) -> None:
        """ValueError when the widths of two stages do not fit each other."""
        super().__init__()
        _check_widths(stem, widths)
        self.conv_in = nn.Conv2d(channels, stem, 3, stride=2, padding=1)
        for stage in STAGES:
            depth = DEPTHS[stage.removesuffix("d")]
            self.add_module(stage, ResidualUBlock(depth, widths[stage]) if depth else DilatedResidualUBlock(widths[stage]))
        self.side1 = nn.Conv2d(widths["stage1d"].out, 1, 3, padding=1)

    def forward(self, picture: Tensor) -> Tensor:
        """Logits (B, 1, H, W), above 0 = figure, of (B, C, H, W); H and W at least 64."""
        x = self.conv_in(picture)
        seen: list[Tensor] = []
        for stage in DEPTHS:
            x = _child(self, stage)(max_pool(seen[-1]) if seen else x)
            seen.append(x)
        for stage, beside in zip(reversed(DEPTHS), reversed(seen[:-1]), strict=False):
            number = int(stage.removeprefix("stage")) - 1
            x = _child(self, f"stage{number}d")(torch.cat([resize_like(x, beside), beside], 1))
        return resize_like(self.side1(x), picture)


def max_pool(x: Tensor) -> Tensor:
    """(B, C, H, W) to half the size, rounded up: the maximum of each 2 x 2."""
    return F.max_pool2d(x, 2, ceil_mode=True)


def resize_like(x: Tensor, other: Tensor) -> Tensor:
    """``x`` brought to the height and width of ``other``."""
    return F.interpolate(x, size=other.shape[2:], mode="bilinear", align_corners=False)


def _child(module: nn.Module, name: str) -> nn.Module:
    return module.get_submodule(name)


def _check_widths(stem: int, widths: Mapping[str, StageWidths]) -> None:
    out = stem
    for stage in DEPTHS:
        if widths[stage].into != out:
            raise ValueError(f"{stage} takes {widths[stage].into} channels and gets {out}")
        out = widths[stage].out
    for number in range(len(DEPTHS) - 1, 0, -1):
        stage, beside = f"stage{number}d", widths[f"stage{number}"].out
        if widths[stage].into != out + beside:
            raise ValueError(f"{stage} takes {widths[stage].into} channels and gets {out + beside}")
        out = widths[stage].out
