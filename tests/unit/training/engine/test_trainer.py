"""The trainer: killed and started again it ends with the same weights, and it records what it did."""

import csv
import os
import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.imaging.types import Rgb
from backend.training.engine.batches import iterate_batches
from backend.training.engine.checkpoints import find_checkpoint, replace_checkpoint
from backend.training.engine.config import ACCELERATE_NAMES, Hardware, TrainConfig
from backend.training.engine.run_log import CsvLog
from backend.training.engine.trainer import Trainer
from backend.training.mini.foreground_task import ForegroundTask
from backend.training.mini.shard_dataset import ShardDataset
from shared.devices.device_status import NumberFormat

STEPS = 24


def everything(run: Trainer) -> list[torch.Tensor]:
    """Weights, averaged weights and both moments of the optimizer."""
    moments = run.optimizer.state_dict()["state"]
    states = [value for _, state in sorted(moments.items()) for _, value in sorted(state.items())]
    return [*run.network.state_dict().values(), *run.ema.shadow_params, *states]


def recipe(steps: int = STEPS) -> TrainConfig:
    return TrainConfig(steps=steps, save_every_s=0, seed=5)


def machine() -> Hardware:
    return Hardware(device="cpu", threads=torch.get_num_threads())


def command(cache: Path, folder: Path, *more: str) -> list[str]:
    asked = [
        "foreground",
        "--cache",
        str(cache),
        "--run",
        str(folder),
        "--steps",
        str(STEPS),
        "--batch-size",
        "2",
        "--seed",
        "5",
    ]
    asked += ["--device", "cpu", "--threads", str(torch.get_num_threads()), "--save-minutes", "0", *more]
    return [sys.executable, "-m", "backend.training.cli", *asked]


def wait_for(path: Path, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 200
    while not path.exists():
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.slow
def test_killed_and_started_again_it_ends_with_the_same_weights(cache: Path, project: Path, tmp_path: Path) -> None:
    killed = subprocess.Popen(command(cache, tmp_path / "killed", "--workers", "1"), cwd=project, stdout=subprocess.DEVNULL)
    wait_for(tmp_path / "killed" / "checkpoint", killed)
    os.kill(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    dataset = ShardDataset(cache, ("mage/", "drawn/storybook"))  # as the command leaves out
    dataset.refresh()
    again = Trainer(ForegroundTask(dataset, 2), recipe(), tmp_path / "killed", machine())
    assert 0 < again.progress.step < STEPS
    again.train()
    whole = Trainer(ForegroundTask(dataset, 2), recipe(), tmp_path / "whole", machine())
    whole.train()
    assert whole.progress.step == again.progress.step == STEPS
    assert len(everything(whole)) > 100
    for a, b in zip(everything(whole), everything(again), strict=True):
        assert torch.equal(a, b)


def test_batches_are_the_same_whoever_makes_them(dataset: ShardDataset) -> None:
    task = ForegroundTask(dataset, 2)
    here = list(islice(iterate_batches(task, 7, 3, workers=0, pin_memory=False), 3))
    elsewhere = list(islice(iterate_batches(task, 7, 3, workers=2, pin_memory=False), 3))
    later = next(iterate_batches(task, 7, 5, workers=0, pin_memory=False))
    for a, b in zip([*here, here[2]], [*elsewhere, later], strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
    other = next(iterate_batches(task, 8, 3, workers=0, pin_memory=False))
    assert not torch.equal(other.lines, here[0].lines)


def test_a_run_leaves_metrics_curves_checkpoint_and_sheets(
    dataset: ShardDataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[list[torch.Tensor]] = []

    def sheet(network: torch.nn.Module) -> Rgb:
        assert not network.training and not torch.is_grad_enabled()
        shown.append([p.clone() for p in network.parameters()])
        return np.full((8, 6, 3), (255, 0, 0), np.uint8)

    run = Trainer(ForegroundTask(dataset, 2), recipe(3), tmp_path, machine())
    run.train(sheet)
    assert run.network.training
    assert [path.name for path in sorted((tmp_path / "sheets").iterdir())] == ["0000001.png", "0000002.png", "0000003.png"]
    for drawn, averaged, trained in zip(shown[-1], run.ema.shadow_params, run.network.parameters(), strict=True):
        assert torch.equal(drawn, averaged)
        assert trained.requires_grad
    assert any(not torch.equal(a, b) for a, b in zip(shown[-1], run.network.parameters(), strict=True))
    assert len(list((tmp_path / "curves").iterdir())) == 1
    with (tmp_path / "log.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["step"] == "3" and float(row["loss"]) > 0
    assert "step 3" in capsys.readouterr().out  # no terminal here: plain lines


def test_an_interrupted_save_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    def write(text: str, fails: bool = False):  # noqa: ANN202
        def fill(folder: Path) -> None:
            folder.mkdir()
            (folder / "x").write_text(text)
            if fails:
                raise OSError

        return fill

    assert find_checkpoint(tmp_path) is None
    replace_checkpoint(tmp_path, write("first"))
    with pytest.raises(OSError):
        replace_checkpoint(tmp_path, write("half", fails=True))
    checkpoint = find_checkpoint(tmp_path)
    assert checkpoint is not None and (checkpoint / "x").read_text() == "first"
    checkpoint.rename(tmp_path / "checkpoint.old")  # as between the two renames
    checkpoint = find_checkpoint(tmp_path)
    assert checkpoint is not None and (checkpoint / "x").read_text() == "first"
    replace_checkpoint(tmp_path, write("second"))
    assert [path.name for path in tmp_path.iterdir() if path.name != "checkpoint.new"] == ["checkpoint"]
    assert (checkpoint / "x").read_text() == "second"


def test_the_table_forgets_what_a_resumed_run_does_again(tmp_path: Path) -> None:
    table = CsvLog(tmp_path / "log.csv", 0)
    for step in (25, 50, 75):
        table.add({"step": step, "loss": step / 100})
    table = CsvLog(tmp_path / "log.csv", 50)
    table.add({"step": 75, "loss": 0.7, "new": 1})
    table.add({"step": 100, "loss": 0.6})
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = [(row["step"], row["loss"], row["new"]) for row in csv.DictReader(file)]
    assert rows == [("25", "0.25", ""), ("50", "0.5", ""), ("75", "0.7", "1"), ("100", "0.6", "")]


def test_a_run_begins_with_given_weights(dataset: ShardDataset, tmp_path: Path) -> None:
    first = Trainer(ForegroundTask(dataset, 2), recipe(), tmp_path / "a", machine())
    weights = {name: tensor.half() for name, tensor in first.averaged_state().items()}
    second = Trainer(ForegroundTask(dataset, 2), TrainConfig(seed=9, steps=1), tmp_path / "b", machine())
    second.load_weights(weights)
    for name, tensor in second.averaged_state().items():
        assert torch.equal(tensor, weights[name].float())
    with pytest.raises(RuntimeError):
        second.load_weights({"nothing": torch.zeros(1)})


def test_minutes_can_be_added_to_a_run(dataset: ShardDataset, tmp_path: Path) -> None:
    run = Trainer(ForegroundTask(dataset, 2), TrainConfig(minutes=1), tmp_path, machine())
    run.progress.seconds = 120
    run.extend_budget(3)
    assert run.config.minutes == 5


@pytest.mark.parametrize("has", [False, True])
def test_training_computes_in_bfloat16_only_where_the_device_does(has: bool) -> None:
    on_cpu, on_any = Hardware(device="cpu"), Hardware()
    assert on_cpu.resolve_number_format(lambda device: has) is (NumberFormat.BFLOAT16 if has else NumberFormat.FLOAT32)
    if torch.cuda.is_available():
        assert on_any.resolve_number_format(lambda device: has) is (NumberFormat.BFLOAT16 if has else NumberFormat.FLOAT16)
    for wish in (NumberFormat.FLOAT32, NumberFormat.BFLOAT16, NumberFormat.FLOAT16):
        assert Hardware(device="cpu", number_format=wish).resolve_number_format(lambda device: has) is wish


@pytest.mark.parametrize("wish", [NumberFormat.AUTOMATIC, NumberFormat.FLOAT32, NumberFormat.BFLOAT16])
def test_accelerate_is_told_what_this_device_computes_in(wish: NumberFormat) -> None:
    hardware = Hardware(device="cpu", number_format=wish)
    assert hardware.create_accelerator().mixed_precision == ACCELERATE_NAMES[hardware.resolve_number_format()]


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no device 'tpu'"):
        Hardware(device="tpu").create_accelerator()
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="cuda"):
            Hardware(device="cuda").create_accelerator()
