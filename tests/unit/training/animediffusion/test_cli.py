"""What the command line makes of its options: the published recipe by default, and what is asked for otherwise."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backend.imaging.thin_plate_warp import warp_inside, warp_published
from backend.training.animediffusion.batch import BatchConfig
from backend.training.animediffusion.config import AnimeTrainConfig, steps_for_epochs
from backend.training.cli import app
from tests.parity.golden import ANIME, golden


class RecordedRun:
    """Stands for a training run and records its task and configuration."""

    def __init__(self, task: Any, config: AnimeTrainConfig) -> None:
        self.task, self.config, self.accelerator = task, config, self

    def train(self, sheet: Any) -> None:
        """Nothing."""

    def end_training(self) -> None:
        """Nothing."""


def recorded_run(monkeypatch: pytest.MonkeyPatch, faces: Path, part: str, *more: str) -> RecordedRun:
    runs: list[RecordedRun] = []

    def run(task: Any, config: AnimeTrainConfig, folder: Path, machine: Any) -> RecordedRun:
        runs.append(RecordedRun(task, config))
        return runs[-1]

    monkeypatch.setattr("backend.training.engine.trainer.Trainer", run)
    asked = [part, "--data", str(faces), "--run", "unused", *(["--start", str(golden(ANIME).sd)] if part == "anime2" else [])]
    result = CliRunner().invoke(app, [*asked, *more])
    assert result.exit_code == 0, result.output
    return runs[0]


@pytest.mark.parametrize(("part", "loss", "epochs"), [("anime1", "sum", 200), ("anime2", "mean", 10)])
def test_without_options_it_is_the_published_recipe(
    part: str, loss: str, epochs: int, monkeypatch: pytest.MonkeyPatch, faces: Path
) -> None:
    run = recorded_run(monkeypatch, faces, part, "--batch-size", "1")
    assert run.task.reduction == loss
    assert run.task.config == BatchConfig(1, 256, warp_published, 0.0, 0.0, 10 if part == "anime2" else 0)
    config = AnimeTrainConfig(
        steps=3 * epochs,
        learning_rate=1e-4,
        weight_decay=0.01,
        betas=(0.9, 0.999),
        ema_decay=0,
        max_grad_norm=0,
        save_every_s=900,
        warmup_share=1 / epochs,
    )
    assert run.config == config
    if part == "anime2":
        network = run.task.network()
        assert (network._initial_noise, network._steps, network._eta) == ("published", 10, 1.0)


def test_options_reach_the_task_and_the_recipe(monkeypatch: pytest.MonkeyPatch, faces: Path) -> None:
    asked = "--batch-size 2 --side 64 --warp inside --drop-reference 0.1 --drop-lines 0.2 --loss sum"
    asked += " --initial-noise inverted --sampler-steps 4 --eta 0.5"
    run = recorded_run(monkeypatch, faces, "anime2", *asked.split())
    assert run.task.config == BatchConfig(2, 64, warp_inside, 0.1, 0.2, 4) and run.task.reduction == "sum"
    network = run.task.network()
    assert (network._initial_noise, network._steps, network._eta) == ("inverted", 4, 0.5)
    asked = "--steps 7 --learning-rate 0.1 --weight-decay 0.2 --warmup-share 0.3 --ema-decay 0.9"
    asked += " --max-grad-norm 2 --batches-per-step 4 --seed 5"
    run = recorded_run(monkeypatch, faces, "anime1", *f"{asked} --width 96 --loss mean --warp none".split())
    config = AnimeTrainConfig(
        steps=7,
        learning_rate=0.1,
        weight_decay=0.2,
        betas=(0.9, 0.999),
        ema_decay=0.9,
        max_grad_norm=2,
        batches_per_step=4,
        seed=5,
        save_every_s=900,
        warmup_share=0.3,
    )
    assert run.config == config
    assert run.task.start.widths == (96, 192, 384, 768)
    assert run.task.reduction == "mean" and run.task.config.warp is None


def test_epochs_count_what_all_processes_see(monkeypatch: pytest.MonkeyPatch, faces: Path) -> None:
    assert steps_for_epochs(10, 3, 1, 1) == 30 and steps_for_epochs(10, 3, 1, 2) == 15 and steps_for_epochs(0.001, 3, 1, 2) == 1
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert recorded_run(monkeypatch, faces, "anime1", "--batch-size", "2", "--epochs", "10").config.steps == 5
    assert (
        recorded_run(
            monkeypatch, faces, "anime1", "--batch-size", "1", "--epochs", "10", "--batches-per-step", "6"
        ).config.steps
        == 5
    )
