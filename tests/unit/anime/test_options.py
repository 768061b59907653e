"""What the command line makes of its options: the published recipe by default, and what is asked for otherwise."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backend.imaging.thin_plate_warp import warp_inside, warp_published
from backend.training.animediffusion.batch import Settings
from backend.training.animediffusion.config import AnimeRecipe, steps_of
from backend.training.cli import app
from tests.parity.golden import ANIME, golden


class Noted:
    """Stands for a run and keeps what it is given."""

    def __init__(self, task: Any, recipe: AnimeRecipe) -> None:
        self.task, self.recipe, self.accelerator = task, recipe, self

    def train(self, sheet: Any) -> None:
        """Nothing."""

    def end_training(self) -> None:
        """Nothing."""


def told(monkeypatch: pytest.MonkeyPatch, faces: Path, part: str, *more: str) -> Noted:
    made: list[Noted] = []

    def run(task: Any, recipe: AnimeRecipe, folder: Path, machine: Any) -> Noted:
        made.append(Noted(task, recipe))
        return made[-1]

    monkeypatch.setattr("backend.training.engine.trainer.Trainer", run)
    asked = [part, "--data", str(faces), "--run", "unused", *(["--start", str(golden(ANIME).sd)] if part == "anime2" else [])]
    result = CliRunner().invoke(app, [*asked, *more])
    assert result.exit_code == 0, result.output
    return made[0]


@pytest.mark.parametrize(("part", "loss", "epochs"), [("anime1", "sum", 200), ("anime2", "mean", 10)])
def test_without_options_it_is_the_published_recipe(
    part: str, loss: str, epochs: int, monkeypatch: pytest.MonkeyPatch, faces: Path
) -> None:
    run = told(monkeypatch, faces, part, "--batch", "1")
    assert run.task.reduction == loss
    assert run.task.settings == Settings(1, 256, warp_published, 0.0, 0.0, 10 if part == "anime2" else 0)
    recipe = AnimeRecipe(
        steps=3 * epochs, rate=1e-4, decay=0.01, betas=(0.9, 0.999), average=0, clip=0, save_every_s=900, warm=1 / epochs
    )
    assert run.recipe == recipe
    if part == "anime2":
        network = run.task.network()
        assert (network._beginning, network._steps, network._eta) == ("published", 10, 1.0)


def test_options_reach_the_task_and_the_recipe(monkeypatch: pytest.MonkeyPatch, faces: Path) -> None:
    asked = (
        "--batch 2 --side 64 --bend within --withhold 0.1 --withhold-lines 0.2 --loss sum --begin timed --sampling 4 --eta 0.5"
    )
    run = told(monkeypatch, faces, "anime2", *asked.split())
    assert run.task.settings == Settings(2, 64, warp_inside, 0.1, 0.2, 4) and run.task.reduction == "sum"
    network = run.task.network()
    assert (network._beginning, network._steps, network._eta) == ("timed", 4, 0.5)
    asked = "--steps 7 --rate 0.1 --decay 0.2 --warm 0.3 --average 0.9 --clip 2 --parts 4 --seed 5"
    run = told(monkeypatch, faces, "anime1", *f"{asked} --width 96 --loss mean --bend none".split())
    recipe = AnimeRecipe(
        steps=7,
        rate=0.1,
        decay=0.2,
        betas=(0.9, 0.999),
        average=0.9,
        clip=2,
        parts=4,
        seed=5,
        save_every_s=900,
        warm=0.3,
    )
    assert run.recipe == recipe
    assert run.task.start.widths == (96, 192, 384, 768)
    assert run.task.reduction == "mean" and run.task.settings.bending is None


def test_epochs_count_what_all_processes_see(monkeypatch: pytest.MonkeyPatch, faces: Path) -> None:
    assert steps_of(10, 3, 1, 1) == 30 and steps_of(10, 3, 1, 2) == 15 and steps_of(0.001, 3, 1, 2) == 1
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert told(monkeypatch, faces, "anime1", "--batch", "2", "--epochs", "10").recipe.steps == 5
    assert told(monkeypatch, faces, "anime1", "--batch", "1", "--epochs", "10", "--parts", "6").recipe.steps == 5
