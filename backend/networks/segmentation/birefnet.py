"""BiRefNet: segments the main object of an image; every step of the decoder reads the image itself again, cut into patches.

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
"""Steps of the decoder that take a stage of the backbone as a skip; 1 is the last step, at the first stage's size."""
SIDE_MULTIPLE = 32
"""Sides of the image are multiples of this, because the smallest patches are a 32nd of them."""
PatchOrder = Literal["columns", "channels"]
"""Order of an image's patches as channels: column by column, each patch with its red, green and blue together; or the red of
all patches row by row, then green, then blue."""


@dataclass(frozen=True)
class DecoderBlockSizes:
    """Of a decoder block."""

    inner: int
    """Channels inside the block."""
    planes: int
    """Channels of each of its parallel convolutions."""
    kernels: tuple[int, ...]
    """Kernel sizes of the parallel convolutions after the first, whose kernel is 1."""


@dataclass(frozen=True)
class PatchEncoderSizes:
    """Of the two convolutions of an image's patches."""

    inner: int
    """Channels between the two."""
    out: int
    """Channels of the output."""


PUBLISHED_BLOCK = DecoderBlockSizes(64, 256, (1, 3, 7))
PUBLISHED_PATCHES = {number: PatchEncoderSizes(64, out) for number, out in ((5, 384), (4, 384), (3, 192), (2, 96), (1, 48))}


@dataclass(frozen=True)
class BiRefNetSizes:
    """Of the whole network."""

    backbone: SwinSizes = SWIN_LARGE
    """Of four stages."""
    blocks: Mapping[int, DecoderBlockSizes] = field(default_factory=lambda: dict.fromkeys((5, *LEVELS, 1), PUBLISHED_BLOCK))
    """By step; 5 is the block before the decoder."""
    patches: Mapping[int, PatchEncoderSizes] = field(default_factory=lambda: PUBLISHED_PATCHES)
    """By step."""
    gradient: Mapping[int, int] = field(default_factory=lambda: dict.fromkeys(LEVELS, 16))
    """By step: channels of the edge attention."""


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
    """Atrous spatial pyramid pooling with deformable convolutions of several sizes and the global mean, mixed to one width."""

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
        branches = [branch(x) for branch in (self.aspp1, *self.aspp_deforms)]
        branches.append(self.global_avg_pool(x).expand_as(branches[0]))
        return F.relu(self.bn1(self.conv1(torch.cat(branches, 1))))


class DecoderBlock(nn.Module):
    """A convolution, a ``DeformableASPP``, a convolution."""

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
    """Two convolutions of the image, cut into patches that are channels."""

    def __init__(self, number: int, sizes: PatchEncoderSizes) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3 * _patches_per_side(number) ** 2, sizes.inner, 3, padding=1)
        self.conv_out = nn.Conv2d(sizes.inner, sizes.out, 3, padding=1)

    def forward(self, patches: Tensor) -> Tensor:
        """(B, 3 patches, h, w) to (B, out, h, w)."""
        return self.conv_out(self.conv1(patches))


class LateralConvolution(nn.Module):
    """A 1 x 1 convolution of a stage of the backbone, for the decoder."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        return self.conv(x)


class Decoder(nn.Module):
    """From the backbone's features to logits at the image's size."""

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
            edge_features = nn.Sequential(nn.Conv2d(out, edges, 3, padding=1), nn.BatchNorm2d(edges), nn.ReLU())
            self.add_module(f"gdt_convs_{level}", edge_features)
            self.add_module(f"gdt_convs_attn_{level}", nn.Sequential(nn.Conv2d(edges, 1, 1)))
        last = widths[0] // 2
        self.decoder_block1 = DecoderBlock(widths[0] + sizes.patches[2].out, last, sizes.blocks[1])
        self.conv_out1 = nn.Sequential(nn.Conv2d(last + sizes.patches[1].out, 1, 1))

    def forward(self, image: Tensor, stages: Sequence[Tensor], x: Tensor) -> Tensor:
        """Logits (B, 1, H, W); stages: the backbone's first three; x: the fourth, squeezed."""
        x = self._with_patches(x, image, 5)
        for level in LEVELS:
            x = self._part(f"decoder_block{level}", x)
            # Edge attention: features count by how likely an edge of the object is near.
            x = x * self._part(f"gdt_convs_attn_{level}", self._part(f"gdt_convs_{level}", x)).sigmoid()
            skip = stages[level - 2]
            x = resize_like(x, skip) + self._part(f"lateral_block{level}", skip)
            x = self._with_patches(x, image, level)
        x = self.decoder_block1(x)
        # Both are linear and the convolution reads single pixels, so it may come first: one channel is enlarged, not hundreds.
        weight, bias = self.conv_out1.get_parameter("0.weight"), self.conv_out1.get_parameter("0.bias")
        logits = resize_like(F.conv2d(x, weight[:, : x.shape[1]]), image)
        return logits + F.conv2d(self._part("ipt_blk1", image), weight[:, x.shape[1] :], bias)

    def _with_patches(self, x: Tensor, image: Tensor, number: int) -> Tensor:
        """``x`` and the image's patches of step ``number``, concatenated."""
        return torch.cat(
            [x, self._part(f"ipt_blk{number}", split_into_patches(image, _patches_per_side(number), self._order))], 1
        )

    def _part(self, name: str, x: Tensor) -> Tensor:
        return self.get_submodule(name)(x)


class BiRefNet(nn.Module):
    """The network for inference, without the six further outputs of the published weights that only training needs."""

    def __init__(self, sizes: BiRefNetSizes | None = None, order: PatchOrder = "columns") -> None:
        """sizes: the published ones when None.  ValueError when no network can have them."""
        super().__init__()
        sizes = sizes or BiRefNetSizes()
        widths = [2 * sizes.backbone.width * 2**level for level in range(4)]
        self.bb = Swin(sizes.backbone)
        self.squeeze_module = nn.Sequential(DecoderBlock(sum(widths), widths[-1], sizes.blocks[5]))
        self.decoder = Decoder(widths, sizes, order)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, 1, H, W), above 0 = foreground, of (B, 3, H, W); H and W multiples of ``GRID``."""
        height, width = image.shape[2:]
        # the backbone sees the image at two sizes, and the decoder both sets of features
        half = F.interpolate(image, size=(height // 2, width // 2), mode="bilinear", align_corners=True)
        both = zip(self.bb(image), self.bb(half), strict=True)
        stages = [torch.cat([large, resize_like(small, large)], 1) for large, small in both]
        deepest = torch.cat([*(resize_like(x, stages[3]) for x in stages[:3]), stages[3]], 1)
        return self.decoder(image, stages[:3], self.squeeze_module(deepest))


def split_into_patches(image: Tensor, count: int, order: PatchOrder) -> Tensor:
    """(B, C count², H / count, W / count): the image (B, C, H, W) cut into ``count`` x ``count`` patches, as channels."""
    cells = image.unflatten(3, (count, -1)).unflatten(2, (count, -1))  # (B, C, row, h, column, w)
    return cells.permute(*((0, 4, 2, 1, 3, 5) if order == "columns" else (0, 1, 2, 4, 3, 5))).flatten(1, 3)


def resize_like(x: Tensor, other: Tensor) -> Tensor:
    """``x`` resized to the height and width of ``other``, corners aligned."""
    return F.interpolate(x, size=other.shape[2:], mode="bilinear", align_corners=True)


def _patches_per_side(number: int) -> int:
    """Patches per side of the image for step ``number``: each is then as large as the feature map they are joined to."""
    return 1 if number == 1 else 2**number
