"""Write what a training run has learned as a checkpoint in published format, which the product loads like any other."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from backend.families.colorizediffusion.checkpoint.loader import Parts, prediction_from_name
from backend.families.diffusion.denoiser import Prediction
from backend.training.colorizediffusion.run_values import check_start
from backend.training.colorizediffusion.stages.stage import StartCheckpoint, StartCheckpointError, freeze_all_but
from backend.training.colorizediffusion.stages.stage_classes import STAGE_CLASSES
from backend.training.engine.checkpoints import find_checkpoint
from backend.training.engine.run_record import read_run_record
from backend.weights.state_dict import read_sidecar_json
from shared.atomic_file import replace_atomically, write_atomically

_PAIRS = "pairs."
"""Names of low-rank pairs begin so in a training run."""
_SEED = 0
"""Of networks that a version has and the training run did not train."""


@dataclass(frozen=True)
class ExportReport:
    """What came of it."""

    count: int
    """Trained weights, each a tensor."""
    warning: str
    """What the user should know of the file; '' where there is nothing."""


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


def export_checkpoint(start: StartCheckpoint, run: Path, out: Path) -> ExportReport:
    """Write the start checkpoint with the trained weights in place of its own.

    A checkpoint of v2 always holds all of its networks; those that nothing has trained yet have their initial weights, so that
    the next stage begins with them.  The JSON file beside it says what shapes do not tell: what the one beside the start
    checkpoint says, and what was learned.  Raises FileNotFoundError when there is no checkpoint in one piece (DeepSpeed and
    FSDP write pieces), ValueError when the training run had another start, or its weights are not those of the stage.
    """
    weights, averaged = load_run_weights(run)
    record = read_run_record(run) or {}
    check_start(run, start.path)
    # Training runs from before there were records are of v1 or v1.5.
    stage = STAGE_CLASSES[record.get("stage", "v15" if any(name.startswith(_PAIRS) for name in weights) else "v1")]
    loaded = start.load()
    if loaded.version not in stage.start_versions:
        raise StartCheckpointError(
            f"the run is of {stage.version.name} and did not start from {start.path.name}, which is {loaded.version.name}"
        )
    prediction = cast(Prediction, record.get("prediction", loaded.prediction))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        parts = stage.expand(loaded)
        network = stage.build_network(parts)
        _check_fit(run, weights, network)
        # Averages are stored in the order of the network's parameters, without names.
        if averaged:
            weights |= dict(zip((name for name, _ in network.named_parameters()), averaged, strict=True))
        freeze_all_but(stage.info.trained, parts)
        network.load_state_dict(weights)  # it is made of the parts' own networks
        count = sum(weight.requires_grad for weight in network.parameters())
        # Once more: encoders that nothing has trained yet begin with the U-Net as it has become.  This freezes everything.
        parts = stage.expand(parts)
    stored = load_file(start.path)
    out.parent.mkdir(parents=True, exist_ok=True)
    with replace_atomically(out) as part:
        save_file({**stored, **_changed_tensors(parts, stored)}, part)
    learned = {name: record[name] for name in ("background_context",) if name in record}
    _write_sidecar(start.path, out, {**learned, "prediction": prediction})
    return ExportReport(count, _name_warning(out, prediction))


def _changed_tensors(parts: Parts, stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """By published name: what the start checkpoint has not, or has otherwise.  The VAE, which nothing trains, is as it is."""
    networks = {part: network for part, network in parts.networks.items() if part in parts.version.key_map and part != "vae"}
    tensors: dict[str, Tensor] = {}
    for part, network in networks.items():
        for key, weight in network.state_dict().items():
            name = parts.version.key_map[part](key).name
            if name not in stored or not torch.equal(stored[name].to(weight.dtype), weight):
                tensors[name] = weight.contiguous()
    return tensors


def _check_fit(run: Path, weights: Mapping[str, Tensor], network: nn.Module) -> None:
    """Raise ValueError where a training run's weights are not those of the network, by names and shapes."""
    expected = {name: weight.shape for name, weight in network.state_dict().items()}
    found = {name: weight.shape for name, weight in weights.items()}
    if found != expected:
        wrong = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
        raise ValueError(f"the training run in {run} learned another network: {len(wrong)} weights differ, such as {wrong[0]}")


def _name_warning(out: Path, prediction: Prediction) -> str:
    """A sentence where the name of the file tells something else than the JSON file beside it; '' where it does not."""
    named = prediction_from_name(out.name)
    if named == prediction:
        return ""
    return f"Keep {out.stem}.json beside it: by its name alone {out.name} predicts {named}, but it learned {prediction}."


def _write_sidecar(start: Path, out: Path, learned: Mapping[str, str]) -> None:
    """What is beside the start checkpoint, and what was learned."""
    values = {**read_sidecar_json(start), **learned}
    write_atomically(out.with_suffix(".json"), (json.dumps(values, indent=1) + "\n").encode())
