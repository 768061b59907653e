"""Export the checkpoints of training runs as the model folder that ships."""

import inspect
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from backend.families.mini.family import NETWORKS
from backend.training.engine.config import TrainConfig
from backend.training.engine.task import Task
from backend.training.engine.trainer import Trainer
from backend.weights.shipped_model import CONFIG, SHIPPED_MODELS, ModelFolder, write_checksums


def default_arguments(network: type[nn.Module]) -> dict[str, object]:
    """The sizes a network is built with by default; every part is trained with them."""
    return {name: p.default for name, p in inspect.signature(network).parameters.items()}


def load_averaged_weights(task: Task, run: Path) -> dict[str, torch.Tensor]:
    """The EMA weights in the checkpoint of a training run, float16 and contiguous.

    Raises FileNotFoundError when ``run`` has no checkpoint.
    """
    if not (run / "checkpoint").exists():
        raise FileNotFoundError(f"{run} holds no checkpoint")
    state = Trainer(task, TrainConfig(steps=1), run).averaged_state()
    return {k: v.half().contiguous() for k, v in state.items()}


def export_model(tasks: dict[str, Task], runs: dict[str, Path], out: Path, base: Path = SHIPPED_MODELS / "mini") -> int:
    """Write the weights of all parts, ``config.json`` and digests to ``out``; returns the bytes of all weights.

    runs: folder of a training run for each part that was trained.  base: the model folder that other parts are copied from.
    Raises FileNotFoundError when a training run has no checkpoint.
    """
    names = [f"{part}.safetensors" for part in NETWORKS]
    config: dict[str, object] = {"format": 1}
    weights: dict[str, dict[str, torch.Tensor]] = {}
    for part, network in NETWORKS.items():
        if part in runs:
            weights[part], config[part] = load_averaged_weights(tasks[part], runs[part]), default_arguments(network)
        else:
            folder = ModelFolder(base)
            weights[part], config[part] = folder.tensors(part), folder.config()[part]
    out.mkdir(parents=True, exist_ok=True)
    for name, tensors in zip(names, weights.values(), strict=True):
        save_file(tensors, out / name)
    (out / CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    write_checksums(out, [*names, CONFIG])
    return sum((out / name).stat().st_size for name in names)
