"""BiRefNet: finds what a picture shows, and looks at the picture itself again at every step back to its full size.

Source: P. Zheng, D. Gao, D.-P. Fan, L. Liu, J. Laaksonen, W. Ouyang, N. Sebe, "Bilateral Reference for High-Resolution
Dichotomous Image Segmentation", CAAI Artificial Intelligence Research 3, 2024.  Modules bear the published weights' names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.networks.segmentation.deformable_conv import DeformableConvolution
from backend.networks.segmentation.swin import SWIN_LARGE, Swin, SwinSizes

LEVELS = (4, 3, 2)
"""Steps of the decoder that look at a stage of the backbone; 1 is the last step, at the first stage's size."""
SIDE_MULTIPLE = 32
"""The smallest patches are a 32nd of the picture's sides, so those must be multiples of it."""
PatchOrder = Literal["columns", "channels"]
"""How the picture's patches follow each other as channels: column by column, each with its red, green and blue together; or all
patches' red row by row, then green, then blue."""


@dataclass(frozen=True)
class DecoderBlockSizes:
    """A decoder block: width inside, width of each of its parallel convolutions, their kernels after the first, which has 1."""

    inner: int
    planes: int
    kernels: tuple[int, ...]


@dataclass(frozen=True)
class PatchEncoderSizes:
    """The convolutions of the picture's patches: width between the two, width of the answer."""

    inner: int
    out: int


PUBLISHED_BLOCK = DecoderBlockSizes(64, 256, (1, 3, 7))
PUBLISHED_PATCHES = {number: PatchEncoderSizes(64, out) for number, out in ((5, 384), (4, 384), (3, 192), (2, 96), (1, 48))}


@dataclass(frozen=True)
class BiRefNetSizes:
    """Of the whole network.  backbone: four stages.  blocks: by step, 5 = the one before the decoder.  patches: by step.

    gradient: channels by which steps 4 to 2 judge where edges are.
    """

    backbone: SwinSizes = SWIN_LARGE
    blocks: Mapping[int, DecoderBlockSizes] = field(default_factory=lambda: dict.fromkeys((5, *LEVELS, 1), PUBLISHED_BLOCK))
    patches: Mapping[int, PatchEncoderSizes] = field(default_factory=lambda: PUBLISHED_PATCHES)
    gradient: Mapping[int, int] = field(default_factory=lambda: dict.fromkeys(LEVELS, 16))


class DeformableConvBlock(nn.Module):
    """A deformable convolution, batch normalization, ReLU."""

    def __init__(self, into: int, out: int, kernel: int) -> None:
        super().__init__()
        self.atrous_conv = DeformableConvolution(into, out, kernel)
        self.bn = nn.BatchNorm2d(out)

    def forward(self, x: Tensor) -> Tensor:
        """(B, into, H, W) to (B, out, H, W)."""
        return F.relu(self.bn(self.atrous_conv(x)))


class DeformableASPP(nn.Module):
    """Deformable convolutions of several sizes beside each other, and the mean of everything, brought back to one width."""

    def __init__(self, sizes: DecoderBlockSizes) -> None:
        super().__init__()
        width, planes = sizes.inner, sizes.planes
        self.aspp1 = DeformableConvBlock(width, planes, 1)
        self.aspp_deforms = nn.ModuleList(DeformableConvBlock(width, planes, kernel) for kernel in sizes.kernels)
        mean = nn.AdaptiveAvgPool2d(1)
        self.global_avg_pool = nn.Sequential(mean, nn.Conv2d(width, planes, 1, bias=False), nn.BatchNorm2d(planes), nn.ReLU())
        self.conv1 = nn.Conv2d(planes * (2 + len(sizes.kernels)), width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        seen = [part(x) for part in (self.aspp1, *self.aspp_deforms)]
        seen.append(self.global_avg_pool(x).expand_as(seen[0]))
        return F.relu(self.bn1(self.conv1(torch.cat(seen, 1))))


class DecoderBlock(nn.Module):
    """A convolution, a pyramid, a convolution."""

    def __init__(self, into: int, out: int, sizes: DecoderBlockSizes) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(into, sizes.inner, 3, padding=1)
        self.bn_in = nn.BatchNorm2d(sizes.inner)
        self.dec_att = DeformableASPP(sizes)
        self.conv_out = nn.Conv2d(sizes.inner, out, 3, padding=1)
        self.bn_out = nn.BatchNorm2d(out)

    def forward(self, x: Tensor) -> Tensor:
        """(B, into, H, W) to (B, out, H, W)."""
        return self.bn_out(self.conv_out(self.dec_att(F.relu(self.bn_in(self.conv_in(x))))))


class PatchEncoder(nn.Module):
    """Two convolutions of the picture, cut into patches that are channels."""

    def __init__(self, number: int, sizes: PatchEncoderSizes) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3 * _patches_per_side(number) ** 2, sizes.inner, 3, padding=1)
        self.conv_out = nn.Conv2d(sizes.inner, sizes.out, 3, padding=1)

    def forward(self, patches: Tensor) -> Tensor:
        """(B, 3 patches, h, w) to (B, out, h, w)."""
        return self.conv_out(self.conv1(patches))


class LateralConvolution(nn.Module):
    """A stage of the backbone, mixed for the decoder."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        return self.conv(x)


class Decoder(nn.Module):
    """From what the backbone has seen back to the picture's size."""

    def __init__(self, widths: Sequence[int], sizes: BiRefNetSizes, order: PatchOrder) -> None:
        """widths: channels of the backbone's four stages, the first stage first."""
        super().__init__()
        self._order: PatchOrder = order
        for number, patches in sizes.patches.items():
            self.add_module(f"ipt_blk{number}", PatchEncoder(number, patches))
        for level in LEVELS:
            into, out = widths[level - 1] + sizes.patches[level + 1].out, widths[level - 2]
            edges = sizes.gradient[level]
            self.add_module(f"decoder_block{level}", DecoderBlock(into, out, sizes.blocks[level]))
            self.add_module(f"lateral_block{level}", LateralConvolution(out))
            judge = nn.Sequential(nn.Conv2d(out, edges, 3, padding=1), nn.BatchNorm2d(edges), nn.ReLU())
            self.add_module(f"gdt_convs_{level}", judge)
            self.add_module(f"gdt_convs_attn_{level}", nn.Sequential(nn.Conv2d(edges, 1, 1)))
        last = widths[0] // 2
        self.decoder_block1 = DecoderBlock(widths[0] + sizes.patches[2].out, last, sizes.blocks[1])
        self.conv_out1 = nn.Sequential(nn.Conv2d(last + sizes.patches[1].out, 1, 1))

    def forward(self, picture: Tensor, stages: Sequence[Tensor], x: Tensor) -> Tensor:
        """Logits (B, 1, H, W); stages: the backbone's first three; x: the fourth, squeezed."""
        x = self._with_patches(x, picture, 5)
        for level in LEVELS:
            x = self._part(f"decoder_block{level}", x)
            x = x * self._part(f"gdt_convs_attn_{level}", self._part(f"gdt_convs_{level}", x)).sigmoid()
            beside = stages[level - 2]
            x = resize_like(x, beside) + self._part(f"lateral_block{level}", beside)
            x = self._with_patches(x, picture, level)
        x = self.decoder_block1(x)
        # A convolution of single pixels may come before the enlargement: one channel is enlarged instead of hundreds.
        weight, bias = self.conv_out1.get_parameter("0.weight"), self.conv_out1.get_parameter("0.bias")
        answer = resize_like(F.conv2d(x, weight[:, : x.shape[1]]), picture)
        return answer + F.conv2d(self._part("ipt_blk1", picture), weight[:, x.shape[1] :], bias)

    def _with_patches(self, x: Tensor, picture: Tensor, number: int) -> Tensor:
        return torch.cat(
            [x, self._part(f"ipt_blk{number}", split_into_patches(picture, _patches_per_side(number), self._order))], 1
        )

    def _part(self, name: str, x: Tensor) -> Tensor:
        return self.get_submodule(name)(x)


class BiRefNet(nn.Module):
    """The network as it is used.  What only training needs of the published weights, six more outputs, is not in it."""

    def __init__(self, sizes: BiRefNetSizes | None = None, order: PatchOrder = "columns") -> None:
        """sizes: the published ones when None.  ValueError when they cannot be."""
        super().__init__()
        sizes = sizes or BiRefNetSizes()
        widths = [2 * sizes.backbone.width * 2**level for level in range(4)]
        self.bb = Swin(sizes.backbone)
        self.squeeze_module = nn.Sequential(DecoderBlock(sum(widths), widths[-1], sizes.blocks[5]))
        self.decoder = Decoder(widths, sizes, order)

    def forward(self, picture: Tensor) -> Tensor:
        """Logits (B, 1, H, W), above 0 = figure, of (B, 3, H, W); H and W multiples of ``GRID``."""
        height, width = picture.shape[2:]
        half = F.interpolate(picture, size=(height // 2, width // 2), mode="bilinear", align_corners=True)
        both = zip(self.bb(picture), self.bb(half), strict=True)
        seen = [torch.cat([large, resize_like(small, large)], 1) for large, small in both]
        deepest = torch.cat([*(resize_like(x, seen[3]) for x in seen[:3]), seen[3]], 1)
        return self.decoder(picture, seen[:3], self.squeeze_module(deepest))


def split_into_patches(picture: Tensor, cut: int, order: PatchOrder) -> Tensor:
    """(B, C cut², H / cut, W / cut): the picture (B, C, H, W) cut into ``cut`` x ``cut`` patches, one behind the other."""
    cells = picture.unflatten(3, (cut, -1)).unflatten(2, (cut, -1))  # (B, C, row, h, column, w)
    return cells.permute(*((0, 4, 2, 1, 3, 5) if order == "columns" else (0, 1, 2, 4, 3, 5))).flatten(1, 3)


def resize_like(x: Tensor, other: Tensor) -> Tensor:
    """``x`` brought to the height and width of ``other``, corner on corner."""
    return F.interpolate(x, size=other.shape[2:], mode="bilinear", align_corners=True)


def _patches_per_side(number: int) -> int:
    """Into how many patches the picture's sides are cut for step ``number``: as small as the map they lie beside."""
    return 1 if number == 1 else 2**number
