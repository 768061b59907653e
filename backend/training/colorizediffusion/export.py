"""Write what a training run has learned as a checkpoint in published format, which the product loads like any other."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from backend.families.colorizediffusion.checkpoint.loader import Parts, prediction_from_name
from backend.families.colorizediffusion.versions import Version
from backend.families.diffusion.denoiser import Prediction
from backend.networks.colorizediffusion.transformer_blocks import cross_attentions
from backend.networks.colorizediffusion.unet import ReferenceUNet
from backend.training.colorizediffusion.stages.stage import Stage, StartCheckpoint, StartCheckpointError, freeze_all_but
from backend.training.colorizediffusion.stages.stage_classes import STAGE_CLASSES
from backend.training.engine.checkpoints import find_checkpoint
from backend.training.engine.run_record import read_run_record
from backend.weights.state_dict import read_sidecar_json
from shared.atomic_file import replace_atomically, write_atomically

_PAIRS = "pairs."
"""Names of low-rank pairs begin so, then comes the number of the cross-attention."""
_SEED = 0
"""Of networks that a version has and the training run did not train."""


def run_values(name: str, stage: Stage) -> dict[str, str]:
    """What the record of a stage's training run says; ``export_checkpoint`` reads it."""
    parts = stage.parts
    values = {"stage": name, "prediction": parts.prediction}
    if "background_encoder" in stage.info.trained:
        values["background_context"] = parts.config.background_context
    return values


def published_names(names: Iterable[str], version: Version, unet: ReferenceUNet) -> dict[str, str]:
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

    A checkpoint of v2 always holds all of its networks; those that nothing has trained yet have their initial weights, so that
    the next stage begins with them.  The JSON file beside it says what shapes do not tell: what the one beside the start
    checkpoint says, and what was learned.  Raises FileNotFoundError when there is no checkpoint in one piece (DeepSpeed and
    FSDP write pieces), ValueError when the name of ``out`` stands for another prediction than was learned, or the training run
    had another start.
    """
    weights, averaged = load_run_weights(run)
    record = read_run_record(run) or {}
    # Training runs from before there were records are of v1 or v1.5.
    stage = STAGE_CLASSES[record.get("stage", "v15" if any(name.startswith(_PAIRS) for name in weights) else "v1")]
    loaded = start.load()
    if loaded.version not in stage.start_versions:
        raise StartCheckpointError(
            f"the run is of {stage.version.name} and did not start from {start.path.name}, which is {loaded.version.name}"
        )
    _check_name(out.name, cast(Prediction, record.get("prediction", loaded.prediction)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        parts = stage.expand(loaded)
        network = stage.build_network(parts)
        # Averages are stored in the order of the network's parameters, without names.
        if averaged:
            weights |= dict(zip((name for name, _ in network.named_parameters()), averaged, strict=True))
        network.load_state_dict(weights)
        # Once more: encoders that nothing has trained yet begin with the U-Net as it has become.
        parts = stage.expand(parts)
    freeze_all_but(stage.info.trained, parts)
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    tensors = {**load_file(start.path), **_published_tensors(loaded, parts, network, weights)}
    out.parent.mkdir(parents=True, exist_ok=True)
    with replace_atomically(out) as part:
        save_file(tensors, part)
    _write_sidecar(start.path, out, record)
    return len(trained)


def _published_tensors(loaded: Parts, parts: Parts, network: nn.Module, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """By published name: the trained weights, and all networks that the start checkpoint has none of, or untrained ones."""
    version = parts.version
    tensors: dict[str, Tensor] = {}
    for part, extra in parts.networks.items():
        is_new = part not in loaded.networks or loaded.networks[part] is not extra
        if is_new and part in version.key_map:
            tensors |= {version.key_map[part](key).name: weight for key, weight in extra.state_dict().items()}
    names = published_names(weights, version, parts.unet)
    tensors |= {names[name]: weight for name, weight in weights.items()}
    return {name: weight.contiguous() for name, weight in tensors.items()}


def _check_name(name: str, prediction: Prediction) -> None:
    """Raise ValueError where the file's name, which alone tells a reader what the network predicts, tells something else."""
    if prediction_from_name(name) != prediction:
        word = "must" if prediction == "eps" else "must not"
        raise ValueError(f"the file of a network that predicts {prediction} {word} have eps in its name: {name}")


def _write_sidecar(start: Path, out: Path, record: Mapping[str, str]) -> None:
    """What is beside the start checkpoint, and whose tokens the background encoder learned to attend to."""
    learned = {name: record[name] for name in ("background_context",) if name in record}
    values = {**read_sidecar_json(start), **learned}
    if values:
        write_atomically(out.with_suffix(".json"), (json.dumps(values, indent=1) + "\n").encode())
