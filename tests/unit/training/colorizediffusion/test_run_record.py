"""A training run goes on, and is published, as what it began as: stage, start checkpoint, prediction, background context."""

import json
from pathlib import Path

import pytest
from torch import Tensor
from typer.testing import CliRunner

from backend.training.cli import app
from backend.training.engine.run_record import NAME, compute_digest, read_run_record
from tests.parity.files import copy_of
from tests.unit.training.colorizediffusion.runs import options


def asked(*arguments: str) -> tuple[int, str]:
    """Exit code and output of ``linewash train``."""
    result = CliRunner(env={"COLUMNS": "500"}).invoke(app, list(arguments))
    return result.exit_code, result.output + ("" if isinstance(result.exception, (SystemExit, type(None))) else "traceback")


def refused(*arguments: str) -> str:
    code, output = asked(*arguments)
    assert code == 2 and "traceback" not in output, output
    return output


@pytest.fixture(scope="module")
def style_run(plain: Path, v2_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two steps of v2-style; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("style") / "run"
    assert asked(*options("v2-style", plain, v2_checkpoint, folder))[0] == 0
    return folder


@pytest.fixture(scope="module")
def other_v2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another v2 by the same names and shapes: one number of its backbone differs."""

    def change(tensors: dict[str, Tensor]) -> None:
        tensors["model.diffusion_model.out.2.bias"][0] += 1

    return copy_of("v2", tmp_path_factory.mktemp("other"), change)


def test_the_record_names_the_start(style_run: Path, v2_checkpoint: Path) -> None:
    record = read_run_record(style_run)
    assert record is not None and record["stage"] == "v2-style"
    assert record["start"] == v2_checkpoint.name and record["start_sha256"] == compute_digest(v2_checkpoint)


def test_it_does_not_go_on_with_another_start(
    style_run: Path, plain: Path, other_v2: Path, v1_checkpoint: Path, v2_checkpoint: Path
) -> None:
    before = (style_run / "checkpoint" / "model.safetensors").read_bytes()
    for other in (other_v2, v1_checkpoint):
        said = refused(*options("v2-style", plain, other, style_run, "--steps", "3"))
        assert f"{other.name} is not the checkpoint that the training run in" in said and v2_checkpoint.name in said
    assert (style_run / "checkpoint" / "model.safetensors").read_bytes() == before


def test_it_is_not_published_with_another_start(
    style_run: Path, other_v2: Path, v1_checkpoint: Path, v2_checkpoint: Path, tmp_path: Path
) -> None:
    out = tmp_path / "v2-mine.safetensors"
    for other in (other_v2, v1_checkpoint):
        said = refused("publish", str(style_run), str(out), "--start", str(other))
        assert f"{other.name} is not the checkpoint that the training run in" in said
    assert not list(tmp_path.iterdir())
    renamed = tmp_path / "renamed.safetensors"
    renamed.write_bytes(v2_checkpoint.read_bytes())
    renamed.with_suffix(".json").write_bytes(v2_checkpoint.with_suffix(".json").read_bytes())
    assert asked("publish", str(style_run), str(out), "--start", str(renamed))[0] == 0


def test_a_record_without_a_start_is_not_compared(style_run: Path, other_v2: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint").symlink_to(style_run / "checkpoint")
    (tmp_path / NAME).write_text(json.dumps({"stage": "v2-style", "prediction": "v"}))
    code, output = asked("publish", str(tmp_path), str(tmp_path / "v2-mine.safetensors"), "--start", str(other_v2))
    assert code == 0, output


@pytest.mark.parametrize("name", ["v2-background", "v2-backbone", "v15", "v1"])
def test_it_does_not_go_on_as_another_stage(
    name: str, style_run: Path, plain: Path, v1_checkpoint: Path, v2_checkpoint: Path
) -> None:
    start = v2_checkpoint if name.startswith("v2") else v1_checkpoint
    said = refused(*options(name, plain, start, style_run, "--steps", "3"))
    assert f"has stage v2-style, not {name}" in said


def test_weights_of_another_network_are_not_published(
    style_run: Path, v1_checkpoint: Path, v2_checkpoint: Path, tmp_path: Path
) -> None:
    """Without a record they are taken for v1's."""
    (tmp_path / "checkpoint").symlink_to(style_run / "checkpoint")
    out = tmp_path / "mult-eps-mine.safetensors"
    said = refused("publish", str(tmp_path), str(out), "--start", str(v1_checkpoint))
    assert f"the training run in {tmp_path} learned another network" in said
    assert "did not start from" in refused("publish", str(tmp_path), str(out), "--start", str(v2_checkpoint))
    assert not out.exists()
