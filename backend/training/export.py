"""From checkpoints to the model folder that ships."""

import inspect
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from backend.families.mini import NETWORKS
from backend.training.trainer import Recipe, Run, Task
from backend.weights.folder import CONFIG, write_sums


def constructor_arguments(network: type[nn.Module]) -> dict[str, object]:
    """The sizes a network is built with by default; every part is trained with them."""
    return {name: p.default for name, p in inspect.signature(network).parameters.items()}


def averaged_weights(task: Task, run: Path) -> dict[str, torch.Tensor]:
    """EMA weights of a run's checkpoint as float16, contiguous."""
    if not (run / "checkpoint").exists():
        raise FileNotFoundError(f"{run} holds no checkpoint")
    state = Run(task, Recipe(steps=1), run).averaged()
    return {k: v.half().contiguous() for k, v in state.items()}


def export_model(tasks: dict[str, Task], runs: dict[str, Path], out: Path) -> int:
    """Write the parts' weights, ``config.json`` and digests to ``out``; the number of bytes of all weights."""
    out.mkdir(parents=True, exist_ok=True)
    names = [f"{part}.safetensors" for part in runs]
    for name, (part, run) in zip(names, runs.items(), strict=True):
        save_file(averaged_weights(tasks[part], run), out / name)
    config = {"format": 1, **{part: constructor_arguments(NETWORKS[part]) for part in runs}}
    (out / CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    write_sums(out, [*names, CONFIG])
    return sum((out / name).stat().st_size for name in names)
