"""A deformable convolution computes what its definition says."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.networks.segmentation.deformable_conv import DeformableConvolution, deformable_conv2d


def one_by_one(x: Tensor, offset: Tensor, modulation: Tensor, weight: Tensor) -> Tensor:
    """The definition of a deformable convolution, pixel by pixel."""
    _, into, height, width = x.shape
    out, _, rows, columns = weight.shape
    answer = torch.zeros(1, out, height, width)
    for i in range(height):
        for j in range(width):
            for tap in range(rows * columns):
                y = i - rows // 2 + tap // columns + float(offset[0, 2 * tap, i, j])
                x_place = j - columns // 2 + tap % columns + float(offset[0, 2 * tap + 1, i, j])
                sample = torch.zeros(into)
                for row in range(height):
                    for column in range(width):
                        share = max(0.0, 1 - abs(y - row)) * max(0.0, 1 - abs(x_place - column))
                        sample += share * x[0, :, row, column]
                answer[0, :, i, j] += weight[:, :, tap // columns, tap % columns] @ sample * modulation[0, tap, i, j]
    return answer


@pytest.mark.parametrize("kernel", [1, 3])
def test_a_deformable_convolution_is_what_its_definition_says(kernel: int) -> None:
    torch.manual_seed(kernel)
    taps = kernel * kernel
    x, weight = torch.randn(1, 3, 5, 4), torch.randn(2, 3, kernel, kernel)
    offset, modulation = 2 * torch.randn(1, 2 * taps, 5, 4), 2 * torch.rand(1, taps, 5, 4)
    expected = one_by_one(x, offset, modulation, weight)
    assert torch.allclose(deformable_conv2d(x, offset, modulation, weight), expected, atol=1e-5)


@pytest.mark.parametrize("kernel", [1, 3, 7])
def test_without_offsets_it_is_a_convolution(kernel: int) -> None:
    torch.manual_seed(kernel)
    x, part = torch.randn(2, 3, 9, 6), DeformableConvolution(3, 4, kernel)
    for name, value in part.state_dict().items():
        if not name.startswith("regular"):
            value.zero_()  # half of the factors' range 0 to 2 is 1
    expected = F.conv2d(x, part.regular_conv.weight, padding=kernel // 2)
    assert torch.allclose(part(x), expected, atol=1e-5)
