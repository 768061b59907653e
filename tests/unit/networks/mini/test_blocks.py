"""The attention bias by foreground and background."""

import torch

from backend.networks.mini.blocks import foreground_bias


def test_split_bias_prefers_the_same_layer_and_is_flat_without_a_mask() -> None:
    bias = foreground_bias(torch.tensor([[1.0, 0.0, 0.5]]), torch.tensor([[1.0, 0.0]]))[0, 0]
    assert bias[0, 0] > bias[0, 1] + 3 and bias[1, 1] > bias[1, 0] + 3
    assert bias[2, 0] == bias[2, 1]
