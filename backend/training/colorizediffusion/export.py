"""Write what a training run has learned as a checkpoint in published format, which the product loads like any other."""

import shutil
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from backend.families.colorizediffusion.checkpoint.config import read_config
from backend.families.colorizediffusion.checkpoint.loader import prediction_from_name
from backend.families.colorizediffusion.versions import V15, Version
from backend.networks.colorizediffusion.transformer_blocks import cross_attentions
from backend.networks.colorizediffusion.unet import ReferenceUNet
from backend.training.colorizediffusion.stage import StartCheckpoint, StartCheckpointError
from backend.training.colorizediffusion.v1 import V1Network
from backend.training.colorizediffusion.v15 import V15Network, expand_v1_to_v15
from backend.training.engine.checkpoints import find_checkpoint
from shared.atomic_file import replace_atomically

_PAIRS = "pairs."
"""Names of low-rank pairs begin so, then comes the number of the cross-attention."""


def published_names(names: list[str], version: Version, unet: ReferenceUNet) -> dict[str, str]:
    """The name in a published file of each weight of a stage's network.  Raises KeyError for a name of no such weight."""
    module_names = {id(module): name for name, module in unet.named_modules()}
    attentions = [module_names[id(attention)] for attention in cross_attentions(unet.unet)]
    return {name: _published_name(name, version, attentions) for name in names}


def _published_name(name: str, version: Version, attentions: list[str]) -> str:
    if name.startswith(_PAIRS):
        _, number, inner = name.split(".", 2)
        return version.key_map["unet"](f"{attentions[int(number)]}.processor.pairs.{inner}").name
    part, _, key = name.partition(".")
    return version.key_map[part](key).name


def load_run_weights(run: Path) -> tuple[dict[str, Tensor], list[Tensor]]:
    """The weights of a training run's last step by name, and its averaged weights in the order of the network's parameters.

    The second is empty when the run keeps no average.  Raises FileNotFoundError when there is no checkpoint in one piece.
    """
    checkpoint = find_checkpoint(run)
    if checkpoint is None or not (checkpoint / "model.safetensors").is_file():
        raise FileNotFoundError(f"{run} holds no checkpoint in one piece")
    averaged: list[Tensor] = []
    for path in sorted(checkpoint.glob("custom_checkpoint_*.pkl")):
        state = cast(dict[str, Any], torch.load(path, map_location="cpu", weights_only=True))
        averaged = state.get("shadow_params", averaged)  # only the EMA's state has them
    return load_file(checkpoint / "model.safetensors"), averaged


def export_checkpoint(start: StartCheckpoint, run: Path, out: Path) -> int:
    """Write the start checkpoint with the trained weights in place of its own; returns the number of trained weights.

    A JSON file beside the start checkpoint, which holds what shapes do not tell, is copied.  Raises FileNotFoundError when
    there is no checkpoint in one piece (DeepSpeed and FSDP write pieces), ValueError when the name of ``out`` stands for
    another prediction than was learned, or the training run had another start.
    """
    weights, averaged = load_run_weights(run)
    parts = start.load()
    # Nothing but the file's name tells a reader what the network predicts.
    if prediction_from_name(out.name) != parts.prediction:
        word = "must" if parts.prediction == "eps" else "must not"
        raise ValueError(f"the file of a network that predicts {parts.prediction} {word} have eps in its name: {out.name}")
    network: nn.Module = V1Network(parts)
    has_pairs = any(name.startswith(_PAIRS) for name in weights)
    if parts.version is V15 and not has_pairs:
        raise StartCheckpointError(f"the run is of v1 and did not start from {start.path.name}, which is v1.5")
    if has_pairs:
        parts = expand_v1_to_v15(parts, read_config(start.path).token_head_dim)
        network = V15Network(parts)
    # Averages are stored in the order of the network's parameters, without names.
    if averaged:
        weights |= dict(zip((name for name, _ in network.named_parameters()), averaged, strict=True))
    names = published_names(list(weights), parts.version, parts.unet)
    out.parent.mkdir(parents=True, exist_ok=True)
    with replace_atomically(out) as part:
        save_file({**load_file(start.path), **{names[name]: weight.contiguous() for name, weight in weights.items()}}, part)
    sidecar = start.path.with_suffix(".json")
    if sidecar.is_file():
        shutil.copyfile(sidecar, out.with_suffix(".json"))
    return len(weights)
