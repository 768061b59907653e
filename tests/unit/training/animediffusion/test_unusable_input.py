"""Unusable input is refused, with a sentence."""

import re
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from backend.training.cli import app
from tests.parity.golden import ANIME, golden
from tests.unit.training.animediffusion.commands import options, trained


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--side", "20"), "multiples of 8"),
        (("--warp", "much"), "none of"),
        (("--loss", "median"), "none of"),
        (("--width", "40"), "multiples of 32"),
    ],
)
def test_options_that_make_no_sense_are_refused(more: tuple[str, ...], message: str, faces: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, options("anime1", faces, tmp_path / "run", *more))
    assert result.exit_code != 0 and message in result.output


def broken(folder: Path, faces: Path, kind: str) -> list[str]:
    """Options of anime1 that name something unusable."""
    checkpoint, tensors = folder / f"{kind}.safetensors", load_file(golden(ANIME).sd)
    if kind == "cut short":
        checkpoint.write_bytes(golden(ANIME).sd.read_bytes()[:100_000])
    elif kind == "pickle":
        torch.save(tensors, checkpoint)
    elif kind == "not a number":
        tensors["denoise_fn.input.0.bias"][3] = float("nan")
        save_file(tensors, checkpoint)
    elif kind == "another kind":
        save_file({"conv_in.weight": torch.ones(2)}, checkpoint)
    elif kind == "image":
        data = folder / "broken"
        shutil.copytree(faces, data)
        for path in (data / "condition").iterdir():
            path.write_bytes(path.read_bytes()[:60])
        return ["--data", str(data)]
    elif kind == "device":
        return ["--device", "abacus"]
    elif kind == "run":
        fresh = ["--data", str(faces), "--run", str(folder / "run"), "--side", "16", "--steps", "1", "--batch-size", "1"]
        trained("anime1", *fresh, "--number-format", "float32", "--threads", "1", "--device", "cpu")
        return []
    return ["--start", str(checkpoint)]


MESSAGES = {
    "cut short": "cut short",
    "pickle": "is a pickle",
    "not a number": "is damaged",
    "another kind": "another kind of model",
    "image": "cannot be read",
    "device": "no device 'abacus'",
    "run": "a run of another network",
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_unusable_input_is_refused_with_a_sentence(kind: str, faces: Path, tmp_path: Path) -> None:
    arguments = [*options("anime1", faces, tmp_path / "run", "--steps", "2"), *broken(tmp_path, faces, kind)]
    result = CliRunner(env={"COLUMNS": "1000"}).invoke(app, arguments)
    assert result.exit_code == 2 and MESSAGES[kind] in result.output, result.output
    assert not (tmp_path / "run" / "checkpoint").exists() or kind == "run"


@pytest.mark.slow
def test_an_image_that_another_process_cannot_read_is_named_too(faces: Path, tmp_path: Path) -> None:
    arguments = [
        *options("anime1", faces, tmp_path / "run", "--steps", "2", "--workers", "1"),
        *broken(tmp_path, faces, "image"),
    ]
    result = CliRunner(env={"COLUMNS": "1000"}).invoke(app, arguments)
    assert result.exit_code == 2 and "Traceback" not in result.output, result.output
    assert re.search(r"Invalid value: condition/0000\d\.png cannot be read", result.output)


def test_what_is_no_run_or_no_data_is_refused(faces: Path, tmp_path: Path) -> None:
    for wrong in (["anime-publish", str(tmp_path), str(tmp_path / "out.safetensors")], ["anime1", "--data", str(tmp_path)]):
        result = CliRunner().invoke(app, [*wrong, *(["--run", str(tmp_path / "run")] if wrong[0] == "anime1" else [])])
        assert result.exit_code != 0
    result = CliRunner().invoke(app, ["anime2", "--data", str(faces), "--run", str(tmp_path / "run")])
    assert result.exit_code != 0 and "begins with a checkpoint" in result.output
