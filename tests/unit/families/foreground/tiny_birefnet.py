"""BiRefNet weights in published format, a few channels wide."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from backend.networks.segmentation.birefnet import (
    LEVELS,
    BiRefNet,
    BiRefNetSizes,
    DecoderBlockSizes,
    PatchEncoderSizes,
    PatchOrder,
)
from backend.networks.segmentation.swin import StageSizes, SwinSizes

SWIN = SwinSizes(4, 3, (StageSizes(2, 1, 8), StageSizes(2, 2, 8), StageSizes(3, 2, 8), StageSizes(2, 4, 8)))
TINY = BiRefNetSizes(
    SWIN,
    dict.fromkeys((5, *LEVELS, 1), DecoderBlockSizes(3, 4, (1, 3, 7))),
    {step: PatchEncoderSizes(2, step + 1) for step in (5, *LEVELS, 1)},
    dict.fromkeys(LEVELS, 3),
)


def network(seed: int = 0, order: PatchOrder = "columns") -> BiRefNet:
    """One without training; its normalizations are no identities and its convolutions deform."""
    torch.manual_seed(seed)
    model = BiRefNet(TINY, order)
    for name, value in model.state_dict().items():
        if name.endswith(("running_mean", "bias_table", "offset_conv.weight")):
            value.normal_(0, 0.5)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
        elif "ipt_blk" in name or "conv_out1" in name:
            value.mul_(3)  # so that the image's patches matter
    return model.eval()


def tensors(model: BiRefNet, prefix: str = "") -> dict[str, Tensor]:
    """Its weights, and what a published file holds beside them."""
    return {prefix + name: value for name, value in {**model.state_dict(), **unused(model)}.items()}


def unused(model: BiRefNet) -> dict[str, Tensor]:
    """What a published file holds that is not used: heads for training, and tables that follow from the window's side."""
    found: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        if name.endswith(".relative_position_bias_table"):
            tokens = ((int(value.shape[0] ** 0.5) + 1) // 2) ** 2
            found[name.replace("bias_table", "index")] = torch.zeros(tokens, tokens, dtype=torch.int64, device=value.device)
    for level in LEVELS:
        for start, like in ((f"conv_ms_spvn_{level}", f"lateral_block{level}.conv"), (f"gdt_convs_pred_{level}.0", "")):
            into = model.get_parameter(f"decoder.{like or f'gdt_convs_attn_{level}.0'}.weight")
            found[f"decoder.{start}.weight"] = into.new_zeros(1, into.shape[1], 1, 1)
            found[f"decoder.{start}.bias"] = into.new_zeros(1)
    return found


def write(path: Path, model: BiRefNet, prefix: str = "") -> Path:
    """A file of the models folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors(model, prefix), path)
    return path
