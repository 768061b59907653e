"""Both phases from the command line, on tiny networks: they learn, go on, and give checkpoints that load."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from backend.families.animediffusion.loading import load_unet
from backend.training.anime.batch import Settings
from backend.training.anime.data import FacePairs
from backend.training.anime.phases import Phase1, Start
from backend.training.anime.recipe import AnimeRecipe
from backend.training.cli import app
from backend.training.recipe import Machine
from backend.training.trainer import Run
from tests.parity.golden import ANIME, golden


def options(part: str, faces: Path, run: Path, *more: str) -> list[str]:
    asked = [part, "--data", str(faces), "--run", str(run), "--start", str(golden(ANIME).sd), "--batch", "1", "--side", "16"]
    return [*asked, "--precision", "no", "--threads", "1", "--device", "cpu", *more]


def trained(*asked: str) -> str:
    result = CliRunner().invoke(app, list(asked))
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(("part", "more"), [("anime1", ("--average", "0.9")), ("anime2", ("--sampling", "2"))])
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


def test_a_run_goes_on_to_the_same_weights(faces: Path, tmp_path: Path) -> None:
    def run(folder: str) -> Run:
        task = Phase1(FacePairs(faces), Start(golden(ANIME).sd), Settings(1, 16, withhold=0.5), "sum")
        recipe = AnimeRecipe(steps=6, rate=1e-4, warm=0.5, clip=0.0)
        return Run(task, recipe, tmp_path / folder, Machine(device="cpu", threads=1, precision="no"))

    whole, first = run("whole"), run("parts")
    whole.train()
    for _ in range(3):
        first.step()
    first.save()
    second = run("parts")
    assert second.progress.step == 3
    second.train()
    weights = second.plain.state_dict()
    assert all(torch.equal(weight, weights[name]) for name, weight in whole.plain.state_dict().items())


def test_epochs_say_how_long_a_run_is(faces: Path, tmp_path: Path) -> None:
    trained(*options("anime1", faces, tmp_path, "--epochs", "2"))
    assert (tmp_path / "log.csv").read_text().splitlines()[-1].startswith("6,")  # twice three faces


def test_a_fresh_network_learns(faces: Path, tmp_path: Path) -> None:
    start = ["anime1", "--data", str(faces), "--run", str(tmp_path), "--width", "32", "--side", "16", "--batch", "2"]
    trained(
        *start, "--steps", "60", "--rate", "0.001", "--loss", "mean", "--precision", "no", "--threads", "1", "--device", "cpu"
    )
    rows = [line.split(",") for line in (tmp_path / "log.csv").read_text().splitlines()]
    column = rows[0].index("error")
    assert float(rows[-1][column]) < 0.8 * float(rows[1][column])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--side", "20"), "multiples of 8"),
        (("--bend", "much"), "none of"),
        (("--loss", "median"), "none of"),
        (("--width", "40"), "multiples of 32"),
    ],
)
def test_options_that_make_no_sense_are_refused(more: tuple[str, ...], said: str, faces: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, options("anime1", faces, tmp_path / "run", *more))
    assert result.exit_code != 0 and said in result.output


def test_what_is_no_run_or_no_data_is_refused(faces: Path, tmp_path: Path) -> None:
    for wrong in (["anime-publish", str(tmp_path), str(tmp_path / "out.safetensors")], ["anime1", "--data", str(tmp_path)]):
        result = CliRunner().invoke(app, [*wrong, *(["--run", str(tmp_path / "run")] if wrong[0] == "anime1" else [])])
        assert result.exit_code != 0
    result = CliRunner().invoke(app, ["anime2", "--data", str(faces), "--run", str(tmp_path / "run")])
    assert result.exit_code != 0 and "begins with a checkpoint" in result.output
