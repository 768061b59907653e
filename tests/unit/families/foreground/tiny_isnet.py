"""ISNet weights in published format, a few channels wide."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from backend.networks.segmentation.isnet import ISNet, StageWidths

TINY = {
    "stage1": StageWidths(4, 2, 4),
    "stage2": StageWidths(4, 2, 6),
    "stage3": StageWidths(6, 3, 6),
    "stage4": StageWidths(6, 3, 8),
    "stage5": StageWidths(8, 4, 8),
    "stage6": StageWidths(8, 4, 8),
    "stage5d": StageWidths(16, 4, 8),
    "stage4d": StageWidths(16, 3, 6),
    "stage3d": StageWidths(12, 3, 5),
    "stage2d": StageWidths(11, 2, 4),
    "stage1d": StageWidths(8, 2, 4),
}


def network(seed: int = 0) -> ISNet:
    """One without training; its normalizations are no identities."""
    torch.manual_seed(seed)
    model = ISNet(3, 4, TINY)
    for name, value in model.state_dict().items():
        if name.endswith("running_mean"):
            value.normal_(0, 0.1)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
    return model.eval()


def tensors(model: ISNet, prefix: str = "") -> dict[str, Tensor]:
    """Its weights, and what a published file holds beside them."""
    found = {f"{prefix}{name}": value.clone() for name, value in model.state_dict().items()}
    found |= {f"{prefix}side{number}.weight": torch.zeros(1, 4, 3, 3) for number in range(2, 7)}
    if prefix:
        found["gt_encoder.conv_in.conv.weight"] = torch.zeros(4, 1, 3, 3)
    return found


def write(path: Path, model: ISNet, prefix: str = "") -> Path:
    """A file of the models folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors(model, prefix), path)
    return path
