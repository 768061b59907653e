"""The order of an image's patches is the published one."""

import pytest
import torch

from backend.networks.segmentation.birefnet import PatchOrder, split_into_patches


@pytest.mark.parametrize("order", ["columns", "channels"])
def test_patches_follow_each_other_as_published(order: PatchOrder) -> None:
    image = torch.arange(2 * 3 * 8 * 12).float().reshape(2, 3, 8, 12)
    found = split_into_patches(image, 4, order)
    assert found.shape == (2, 48, 2, 3)
    for row in range(4):
        for column in range(4):
            for channel in range(3):
                place = (column * 4 + row) * 3 + channel if order == "columns" else (channel * 4 + row) * 4 + column
                expected = image[:, channel, 2 * row : 2 * row + 2, 3 * column : 3 * column + 3]
                assert torch.equal(found[:, place], expected)
