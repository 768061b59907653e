"""Training runs of the stages on tiny networks, and the options of the same from the command line."""

from pathlib import Path

import numpy as np
import torch

from backend.training.colorizediffusion.batch import BatchConfig
from backend.training.colorizediffusion.dataset import ImageDataset
from backend.training.colorizediffusion.stages.stage import Stage, StartCheckpoint
from backend.training.colorizediffusion.stages.stage_classes import STAGE_CLASSES
from backend.training.engine.config import Hardware, TrainConfig
from backend.training.engine.trainer import Trainer
from shared.devices.device_status import NumberFormat
from tests.unit.training.colorizediffusion.conftest import settings

STEPS, SAVED, RESUMED = 50, 24, 3
RATES = {"v1": 1e-3, "v15": 3e-3, "v2-backbone": 1e-3, "v2-background": 1e-3, "v2-style": 1e-3}
V2_STAGES = ("v2-backbone", "v2-background", "v2-style")


def make_stage(name: str, data: Path, start: StartCheckpoint, config: BatchConfig | None = None) -> Stage:
    """A stage whose batches are as the command makes them, but small."""
    info = STAGE_CLASSES[name].info
    return STAGE_CLASSES[name](ImageDataset(data, info.needs_masks), start, config or settings(name))


def run_of(stage: Stage, name: str, folder: Path, average: float = 0.0) -> Trainer:
    """Its training run of STEPS steps."""
    recipe = TrainConfig(
        steps=STEPS,
        learning_rate=RATES[name],
        warmup_steps=1,
        final_rate_share=1.0,
        weight_decay=0.01,
        betas=(0.9, 0.999),
        ema_decay=average,
    )
    return Trainer(stage, recipe, folder, Hardware(device="cpu", threads=1, number_format=NumberFormat.FLOAT32))


def loss_of(run: Trainer) -> float:
    """Mean loss on batches that are not learned from, always the same."""
    stage = run.task
    with torch.no_grad():
        return float(np.mean([float(stage.loss(run.network, stage.batch(np.random.default_rng((9, n))))[0]) for n in range(6)]))


def everything(run: Trainer) -> list[torch.Tensor]:
    """Copies of weights, averages and moments."""
    moments = run.optimizer.state_dict()["state"]
    states = [value for _, state in sorted(moments.items()) for _, value in sorted(state.items())]
    averaged = [] if run.ema is None else run.ema.shadow_params
    return [tensor.clone() for tensor in (*run.unwrapped_network.state_dict().values(), *averaged, *states)]


def frozen_weights(stage: Stage) -> dict[str, torch.Tensor]:
    """Every weight of every network that takes no gradient, by part and name."""
    return {
        f"{part}.{name}": weight
        for part, network in stage.parts.networks.items()
        for name, weight in network.named_parameters()
        if not weight.requires_grad
    }


def check_learns_and_resumes(stage: Stage, again: Stage, name: str, folder: Path, average: float, most: float) -> None:
    """STEPS steps bring the held-out loss below ``most`` of what it was, and leave what is frozen as it is to the bit.

    A training run that resumes at step SAVED, of the stage ``again``, is the same RESUMED steps later.
    """
    run = run_of(stage, name, folder, average)
    before, frozen = loss_of(run), {key: weight.clone() for key, weight in frozen_weights(stage).items()}
    expected: list[torch.Tensor] = []
    for step in range(1, STEPS + 1):
        metrics = run.step()
        if step == SAVED:
            run.save()
        if step == SAVED + RESUMED:
            expected = everything(run)
    assert metrics.keys() == {"loss", "low_noise", "high_noise"}
    after = loss_of(run)
    assert after < before * most, (before, after)
    kept = frozen_weights(stage)
    assert kept.keys() == frozen.keys() and len(kept) > 100
    assert all(torch.equal(weight, frozen[key]) for key, weight in kept.items())
    resumed_run = run_of(again, name, folder, average)
    assert resumed_run.progress.step == SAVED
    for _ in range(RESUMED):
        resumed_run.step()
    resumed = everything(resumed_run)
    assert len(expected) == len(resumed) > 100
    assert all(torch.equal(a, b) for a, b in zip(expected, resumed, strict=True))


def options(name: str, plain: Path, checkpoint: Path, run: Path, *more: str) -> list[str]:
    """Of the stage's command: two steps."""
    asked = [name, "--data", str(plain), "--start", str(checkpoint), "--run", str(run), "--steps", "2", "--batch-size", "1"]
    asked += ["--crops", "64x64", "--load-size", "80", "--wipe-border", "4", "--learning-rate", "0.001"]
    return [*asked, "--number-format", "float32", "--threads", "1", "--device", "cpu", *more]
