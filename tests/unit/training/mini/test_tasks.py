"""The trainer: it learns, it resumes exactly, it keeps held-out drawings out, and what it exports loads."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.families.mini.family import NETWORKS, Mini
from backend.networks.mini.flats import Flats
from backend.training.cli import mini_tasks
from backend.training.engine.config import TrainConfig
from backend.training.engine.task import Task
from backend.training.engine.trainer import Trainer
from backend.training.mini.export import export_model
from backend.training.mini.flats_example import make_flats_example
from backend.training.mini.flats_task import FlatsTask, collate
from backend.training.mini.foreground_task import ForegroundTask
from backend.training.mini.painted_task import PaintedTask
from backend.training.mini.precompute_warp import precompute_warps
from backend.training.mini.shard_dataset import ShardDataset
from backend.weights.shipped_model import ModelFolder


def _weights(run: Trainer) -> list[torch.Tensor]:
    return [p.detach().clone() for p in run.network.parameters()] + [p.clone() for p in run.ema.shadow_params]


def test_flats_learns_a_few_drawings_by_heart(dataset: ShardDataset, tmp_path: Path) -> None:
    class Fixed(FlatsTask):
        def batch(self, rng: np.random.Generator) -> object:
            return collate([make_flats_example(self.dataset.sample(np.random.default_rng(k)), None) for k in range(3)])

    run = Trainer(Fixed(dataset, 3), TrainConfig(steps=14, learning_rate=1e-3, warmup_steps=3), tmp_path)
    losses = [run.step()["loss"] for _ in range(14)]
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize("task", [PaintedTask, ForegroundTask])
def test_loss_falls(task: type[Task], dataset: ShardDataset, tmp_path: Path) -> None:
    run = Trainer(task(dataset, 4), TrainConfig(steps=24, learning_rate=1e-3, warmup_steps=3), tmp_path)  # type: ignore[call-arg]
    losses = [run.step()["loss"] for _ in range(24)]
    if task is PaintedTask:  # flat drawings: there is nothing to add, and that is soon learned
        assert losses[-1] < losses[0] + 0.02
    else:
        assert np.mean(losses[-4:]) < 0.8 * losses[0]


def test_resuming_is_exact(dataset: ShardDataset, tmp_path: Path) -> None:
    config = TrainConfig(steps=4, warmup_steps=2)
    whole = Trainer(PaintedTask(dataset, 2), config, tmp_path / "whole")
    for _ in range(4):
        whole.step()
    first = Trainer(PaintedTask(dataset, 2), config, tmp_path / "parts")
    first.folder.mkdir()
    for _ in range(2):
        first.step()
    first.save()
    second = Trainer(PaintedTask(dataset, 2), config, tmp_path / "parts")
    assert second.progress.step == 2
    for _ in range(2):
        second.step()
    for a, b in zip(_weights(whole), _weights(second), strict=True):
        assert torch.equal(a, b)


def test_held_out_sources_are_never_drawn(cache: Path) -> None:
    assert len(ShardDataset(cache, ())) == 0
    everything, dataset = ShardDataset(cache, ()), ShardDataset(cache, ("held_out/",))
    assert everything.refresh() == 15 and dataset.refresh() == 12


def test_new_shards_are_picked_up(cache: Path, tmp_path: Path) -> None:
    import shutil

    dataset = ShardDataset(tmp_path, ())
    assert dataset.refresh() == 0
    shutil.copytree(cache / "train_0", tmp_path / "train_0")
    shutil.copytree(cache / "train_0", tmp_path / "val_0")
    assert dataset.refresh() == 12


def test_augmentation_keeps_examples_valid(dataset: ShardDataset) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        item = make_flats_example(dataset.sample(rng), rng)
        assert item["allowed"].any(1).all()
        np.testing.assert_allclose(item["weight"].sum(), 1, rtol=1e-4)
        assert np.isfinite(item["geometry"]).all()
        # the drawing's colors are in the reference: recoloring both keeps them close
        best = ((item["lab"][:, None] - item["palette_lab"][None]) ** 2).sum(-1).min(1)
        assert np.sqrt(best[item["weight"] > 0.02]).max() < 12


def test_exported_model_loads(dataset: ShardDataset, tmp_path: Path) -> None:
    tasks: dict[str, Task] = {name: task(dataset, 2) for name, task in mini_tasks().items()}
    runs = {name: tmp_path / name for name in tasks}
    for name, task in tasks.items():
        runs[name].mkdir()
        run = Trainer(task, TrainConfig(steps=2), runs[name])
        run.step()
        run.save()
    size = export_model(tasks, runs, tmp_path / "out")
    assert 1e6 < size <= 40_000_000
    folder = ModelFolder(tmp_path / "out")
    Mini.load(folder)
    for name in NETWORKS:
        assert {t.dtype for t in folder.tensors(name).values()} == {torch.float16}


def test_export_refuses_an_empty_run(dataset: ShardDataset, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        export_model({"flats": FlatsTask(dataset)}, {"flats": tmp_path / "nothing"}, tmp_path / "out")


def test_warps_are_computed_once_and_painting_needs_them(cache: Path, tmp_path: Path) -> None:
    copy = tmp_path / "cache"
    shutil.copytree(cache, copy)
    assert precompute_warps(Flats(), copy) == 0
    for folder in copy.iterdir():
        (folder / "warped.npy").unlink()
    dataset = ShardDataset(copy, ())
    dataset.refresh()
    with pytest.raises(ValueError, match="precompute-warps"):
        PaintedTask(dataset, 2).batch(np.random.default_rng(0))
    assert precompute_warps(Flats(), copy) == 15
    warped = np.load(copy / "train_0" / "warped.npy")
    assert warped.shape == (12, 32, 32, 4) and warped.dtype == np.uint8 and warped[..., :3].std() > 0
