"""Deformable convolution with modulation: offset and weight of each tap of the kernel are computed from the input itself.

Source: X. Zhu, H. Hu, S. Lin, J. Dai, "Deformable ConvNets v2: More Deformable, Better Results", CVPR 2019.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def deformable_conv2d(x: Tensor, offset: Tensor, modulation: Tensor, weight: Tensor) -> Tensor:
    """(B, out, H, W) of ``x`` (B, into, H, W); stride 1, zeros around, so that the size stays.

    offset: (B, 2 K, H, W) in pixels, down and right for each of the kernel's K taps in turn.  modulation: (B, K, H, W) factors.
    weight: (out, into, rows, columns), both odd.  The taps are added one by one, because all at once need K copies of ``x``.
    """
    count, _, height, width = x.shape
    rows, columns = weight.shape[2:]
    down = torch.arange(height, device=x.device, dtype=x.dtype)[:, None] - rows // 2
    right = torch.arange(width, device=x.device, dtype=x.dtype) - columns // 2
    output = x.new_zeros(count, weight.shape[0], height * width)
    for tap in range(rows * columns):
        row, column = divmod(tap, columns)
        y, x_place = offset[:, 2 * tap] + (down + row), offset[:, 2 * tap + 1] + (right + column)
        # grid_sample measures in -1..1 from edge to edge
        grid = torch.stack([(2 * x_place + 1) / width - 1, (2 * y + 1) / height - 1], -1)
        sampled = F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
        sampled = (sampled * modulation[:, tap : tap + 1]).flatten(2)
        # One tap of the kernel is a 1 x 1 convolution: a matrix product, added in place.
        output.baddbmm_(weight[:, :, row, column].expand(count, -1, -1), sampled)
    return output.unflatten(2, (height, width))


class DeformableConvolution(nn.Module):
    """``deformable_conv2d`` whose offsets and factors (0 to 2) are convolutions of the same input."""

    def __init__(self, into: int, out: int, kernel: int) -> None:
        """ValueError when ``kernel`` is even."""
        super().__init__()
        if kernel % 2 == 0:
            raise ValueError(f"a deformable convolution of {kernel} pixels has no middle")
        taps, half = kernel * kernel, kernel // 2
        self.offset_conv = nn.Conv2d(into, 2 * taps, kernel, padding=half)
        self.modulator_conv = nn.Conv2d(into, taps, kernel, padding=half)
        self.regular_conv = nn.Conv2d(into, out, kernel, padding=half, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, into, H, W) to (B, out, H, W)."""
        modulation = 2 * self.modulator_conv(x).sigmoid()
        return deformable_conv2d(x, self.offset_conv(x), modulation, self.regular_conv.weight)
