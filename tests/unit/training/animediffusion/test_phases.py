"""Both phases from the command line, on tiny networks: they learn, go on, and give checkpoints that load."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from backend.families.animediffusion.loader import load_unet
from backend.networks.animediffusion import ResidualBlock
from backend.training.animediffusion.batch import Batch, BatchConfig
from backend.training.animediffusion.config import AnimeTrainConfig
from backend.training.animediffusion.dataset import FacePairs
from backend.training.animediffusion.phases import InitialNetwork, Phase1, Phase2
from backend.training.engine.config import Hardware
from backend.training.engine.trainer import Trainer
from shared.devices.device_status import NumberFormat
from tests.parity.golden import ANIME, golden
from tests.unit.training.animediffusion.commands import options, trained
from tests.unit.training.two_processes import check_two_processes_agree_with_one


@pytest.mark.parametrize(("part", "more"), [("anime1", ("--ema-decay", "0.9")), ("anime2", ("--sampler-steps", "2"))])
def test_what_was_learned_is_a_checkpoint_that_loads(part: str, more: tuple[str, ...], faces: Path, tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "ADF-mine.safetensors"
    trained(*options(part, faces, run, "--steps", "2", "--validation", str(faces), *more))
    assert "250 trained weights" in trained("anime-publish", str(run), str(out))
    before, after = load_unet(golden(ANIME).sd).state_dict(), load_unet(out).state_dict()
    assert before.keys() == after.keys()
    assert all(not torch.equal(before[name], weight) for name, weight in after.items())
    assert all((before[name] - weight).abs().max() < 0.01 for name, weight in after.items())
    assert load_file(out).keys() == load_file(golden(ANIME).sd).keys()
    assert len(list((run / "sheets").glob("*.png"))) == 1


@pytest.mark.parametrize("phase", [1, 2])
def test_a_run_goes_on_to_the_same_weights(phase: int, faces: Path, tmp_path: Path) -> None:
    def run(folder: str) -> Trainer:
        data, start, settings = FacePairs(faces), InitialNetwork(golden(ANIME).sd), BatchConfig(1, 16, reference_dropout=0.5)
        task = Phase1(data, start, settings, "sum") if phase == 1 else Phase2(data, start, settings, steps=2)
        recipe = AnimeTrainConfig(
            steps=6, learning_rate=1e-4, warmup_share=0.5, max_grad_norm=0.0, ema_decay=0.9 if phase == 2 else 0.0
        )
        return Trainer(task, recipe, tmp_path / folder, Hardware(device="cpu", threads=1, number_format=NumberFormat.FLOAT32))

    whole, first = run("whole"), run("parts")
    whole.train()
    for _ in range(3):
        first.step()
    first.save()
    second = run("parts")
    assert second.progress.step == 3
    second.train()
    weights = second.averaged_state()
    assert all(torch.equal(weight, weights[name]) for name, weight in whole.averaged_state().items())
    moments = second.optimizer.state_dict()["state"]
    for number, state in whole.optimizer.state_dict()["state"].items():
        assert all(torch.equal(value, moments[number][name]) for name, value in state.items())


class Broken(Phase1):
    """Its second batch holds a noise that is no number."""

    batches = 0

    def batch(self, rng: np.random.Generator) -> Batch:
        """As ever but once."""
        self.batches += 1
        batch = super().batch(rng)
        return batch._replace(noise=batch.noise * float("nan")) if self.batches == 2 else batch


@pytest.mark.parametrize("parts", [1, 2])
def test_nothing_is_learned_from_a_loss_that_is_no_number(parts: int, faces: Path, tmp_path: Path) -> None:
    task = Broken(FacePairs(faces), InitialNetwork(golden(ANIME).sd), BatchConfig(1, 16), "sum")
    recipe = AnimeTrainConfig(steps=6, learning_rate=1e-3, warmup_share=0.1, ema_decay=0.9, batches_per_step=parts)
    run = Trainer(task, recipe, tmp_path, Hardware(device="cpu", threads=1, number_format=NumberFormat.FLOAT32))
    weights: list[list[torch.Tensor]] = []
    for _ in range(3):
        run.step()
        weights.append([each.clone() for each in (*run.averaged_state().values(), *run.unwrapped_network.parameters())])
    before = [each.detach() for each in golden_weights()]
    first = before if parts == 2 else weights[0]  # with two batches a step the second is in the first step
    passed = weights[0] if parts == 2 else weights[1]
    learned = weights[1] if parts == 2 else weights[2]
    assert all(torch.equal(one, other) for one, other in zip(first, passed, strict=True))
    assert not any(torch.equal(one, other) for one, other in zip(passed, learned, strict=True))
    assert run.progress.step == 3 and all(each.isfinite().all() for each in weights[-1])


def golden_weights() -> list[torch.Tensor]:
    network = load_unet(golden(ANIME).sd)
    return [*network.state_dict().values(), *network.parameters()]


def test_averaged_weights_are_what_is_published(faces: Path, tmp_path: Path) -> None:
    for part, more in (("anime1", ()), ("anime2", ("--sampler-steps", "2"))):
        run, out = tmp_path / part, tmp_path / f"{part}.safetensors"
        trained(*options(part, faces, run, "--steps", "3", "--learning-rate", "0.001", "--ema-decay", "0.9", *more))
        trained("anime-publish", str(run), str(out))
        averages = torch.load(run / "checkpoint" / "custom_checkpoint_0.pkl", weights_only=True)["shadow_params"]
        last = load_file(run / "checkpoint" / "model.safetensors")
        prefix = "unet." if part == "anime2" else ""
        parameters = dict(load_unet(out).named_parameters())
        assert len(parameters) == len(averages) == 250
        for (name, weight), average in zip(parameters.items(), averages, strict=True):
            assert torch.equal(weight, average)
            assert not torch.equal(weight, last[prefix + name])


def test_phase_two_computes_blocks_again_on_the_way_back(faces: Path) -> None:
    phase = Phase2(FacePairs(faces), InitialNetwork(golden(ANIME).sd), BatchConfig(1, 16), steps=3)
    network, called = phase.network(), list[int]()
    for number, block in enumerate(each for each in network.modules() if isinstance(each, ResidualBlock)):
        block.register_forward_pre_hook(lambda module, inputs, number=number: called.append(number))
    loss, _ = phase.loss(network, phase.batch(np.random.default_rng(0)))
    there = [called.count(number) for number in range(21)]
    assert set(there) == {2 + 3}  # to the noise in two moves, and three steps
    called.clear()
    loss.backward()
    assert [called.count(number) for number in range(21)] == [3] * 21


@pytest.mark.slow
@pytest.mark.parametrize(("part", "more"), [("anime1", ("--drop-reference", "0.5")), ("anime2", ("--sampler-steps", "2"))])
def test_two_processes_agree_with_one(part: str, more: tuple[str, ...], faces: Path, project: Path, tmp_path: Path) -> None:
    asked = ("--epochs", "2", "--learning-rate", "0.001", "--ema-decay", "0.9", "--warmup-share", "0.1", *more)
    check_two_processes_agree_with_one(lambda run: options(part, faces, run, *asked), project, tmp_path)
    for run in ("one", "two"):  # three faces twice, two a step
        assert (tmp_path / run / "log.csv").read_text().splitlines()[-1].startswith("3,")


def test_epochs_say_how_long_a_run_is(faces: Path, tmp_path: Path) -> None:
    trained(*options("anime1", faces, tmp_path, "--epochs", "2"))
    assert (tmp_path / "log.csv").read_text().splitlines()[-1].startswith("6,")  # twice three faces


def test_a_fresh_network_learns(faces: Path, tmp_path: Path) -> None:
    start = ["anime1", "--data", str(faces), "--run", str(tmp_path), "--width", "32", "--side", "16", "--batch-size", "2"]
    trained(
        *start,
        "--steps",
        "60",
        "--learning-rate",
        "0.001",
        "--loss",
        "mean",
        "--number-format",
        "float32",
        "--threads",
        "1",
        "--device",
        "cpu",
    )
    rows = [line.split(",") for line in (tmp_path / "log.csv").read_text().splitlines()]
    column = rows[0].index("error")
    assert float(rows[-1][column]) < 0.8 * float(rows[1][column])
