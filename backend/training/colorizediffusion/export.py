"""From a run to a checkpoint in published format, which the product loads like any other."""

import shutil
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from backend.families.colorizediffusion import key_mapping
from backend.families.colorizediffusion.loader import prediction_of
from backend.families.colorizediffusion.network_configs import read_config
from backend.networks.colorizediffusion.transformer_blocks import cross_attentions
from backend.networks.colorizediffusion.unet import ReferenceUNet
from backend.training.colorizediffusion.stage import StartCheckpoint, StartCheckpointError
from backend.training.colorizediffusion.v1 import V1Network
from backend.training.colorizediffusion.v15 import V15Network, expand_v1_to_v15
from backend.training.engine.checkpoints import find_checkpoint

_PARTS = {
    "unet.": key_mapping.unet,
    "sketch_encoder.": key_mapping.sketch,
    "threshold_embedder.": key_mapping.threshold,
    "token_transformer.": key_mapping.tokens,
}
_PAIRS = "pairs."


def published_names(names: list[str], unet: ReferenceUNet) -> dict[str, str]:
    """What a published file calls the weights of a stage's network.  Raises KeyError for others."""
    places = {id(module): name for name, module in unet.named_modules()}
    attentions = [places[id(attention)] for attention in cross_attentions(unet.unet)]
    return {name: _published_name(name, attentions) for name in names}


def _published_name(name: str, attentions: list[str]) -> str:
    if name.startswith(_PAIRS):
        _, number, inner = name.split(".", 2)
        return key_mapping.unet(f"{attentions[int(number)]}.processor.pairs.{inner}").name
    start = next((start for start in _PARTS if name.startswith(start)), None)
    if start is None:
        raise KeyError(name)
    return _PARTS[start](name[len(start) :]).name


def load_run_weights(run: Path) -> tuple[dict[str, Tensor], list[Tensor]]:
    """A run's weights of the last step by name, and its averaged weights in the order of the network's parameters, if any."""
    found = find_checkpoint(run)
    if found is None or not (found / "model.safetensors").is_file():
        raise FileNotFoundError(f"{run} holds no checkpoint in one piece")
    averaged: list[Tensor] = []
    for path in sorted(found.glob("custom_checkpoint_*.pkl")):
        kept = cast(dict[str, Any], torch.load(path, map_location="cpu", weights_only=True))
        averaged = kept.get("shadow_params", averaged)
    return load_file(found / "model.safetensors"), averaged


def export_checkpoint(start: StartCheckpoint, run: Path, out: Path) -> int:
    """Write the checkpoint that a run started from with what was trained in its place; the number of trained weights.

    What shapes do not tell is copied beside it.  Raises FileNotFoundError when there is no checkpoint in one piece (DeepSpeed
    and FSDP write pieces), ValueError when the new name says another prediction than was learned or the run had another start.
    """
    weights, averaged = load_run_weights(run)
    parts = start.load()
    if prediction_of(out.name) != parts.prediction:
        word = "must" if parts.prediction == "eps" else "must not"
        raise ValueError(f"the file of a network that predicts {parts.prediction} {word} have eps in its name: {out.name}")
    network: nn.Module = V1Network(parts.unet, parts.sketch_encoder)
    has_pairs = any(name.startswith(_PAIRS) for name in weights)
    if parts.version == "v1.5" and not has_pairs:
        raise StartCheckpointError(f"the run is of v1 and did not start from {start.path.name}, which is v1.5")
    if has_pairs:
        parts = expand_v1_to_v15(parts, read_config(start.path).token_head_dim)
        network = V15Network(parts)
    if averaged:
        weights |= dict(zip((name for name, _ in network.named_parameters()), averaged, strict=True))
    names = published_names(list(weights), parts.unet)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    save_file({**load_file(start.path), **{names[name]: weight.contiguous() for name, weight in weights.items()}}, part)
    part.replace(out)
    beside = start.path.with_suffix(".json")
    if beside.is_file():
        shutil.copyfile(beside, out.with_suffix(".json"))
    return len(weights)
