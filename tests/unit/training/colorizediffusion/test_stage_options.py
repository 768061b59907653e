"""What the options of the stages' commands mean by default, and which stages refuse them."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from typer.testing import CliRunner

from backend.families.colorizediffusion.checkpoint.loader import load_parts
from backend.training.cli import app
from backend.training.colorizediffusion.stages.stage import StartCheckpoint
from backend.training.colorizediffusion.stages.stage_table import OPTION_STAGES, STAGES
from backend.training.engine.run_record import read_run_record
from tests.parity.files import copy_of
from tests.unit.training.colorizediffusion.runs import make_stage, options

VALUES = {"noisy_reference": (), "background_context": ("reference",)}
"""Of the options that are no shares."""
RUNNER = CliRunner(env={"COLUMNS": "500"})


@pytest.mark.parametrize("option", OPTION_STAGES)
def test_options_of_other_stages_are_refused(option: str, plain: Path, v1_checkpoint: Path, tmp_path: Path) -> None:
    flag, stages = f"--{option.replace('_', '-')}", OPTION_STAGES[option]
    for name in STAGES.keys() - set(stages):
        asked = options(name, plain, v1_checkpoint, tmp_path / "run", flag, *VALUES.get(option, ("0.5",)))
        refused = RUNNER.invoke(app, asked)
        assert refused.exit_code == 2, name
        assert f"{flag} is for {' and '.join(stages)}: {name} does not use it" in refused.output
        shown = RUNNER.invoke(app, [name, "--help"]).output
        assert f"{', '.join(stages)}: " in next(line for line in shown.splitlines() if flag in line)
    assert set(stages) <= STAGES.keys() and not (tmp_path / "run").exists()


def test_a_context_is_the_background_s_or_the_reference_s(plain: Path, v2_checkpoint: Path, tmp_path: Path) -> None:
    asked = options("v2-background", plain, v2_checkpoint, tmp_path / "run", "--background-context", "both")
    refused = RUNNER.invoke(app, asked)
    assert refused.exit_code == 2 and "neither background nor reference" in refused.output


def without_heads(tensors: dict[str, Tensor]) -> None:
    """Make the background encoder one that has learned nothing."""
    for name in [name for name in tensors if name.startswith("bg_encoder.zero_layers.")]:
        tensors[name] = torch.zeros_like(tensors[name])


@pytest.mark.parametrize(
    ("has_learned", "said_in_start", "asked", "expected", "notice"),
    [
        (True, None, None, "reference", "tokens of the reference; it goes on with them"),  # as the published weights
        (True, "reference", None, "reference", "tokens of the reference; it goes on with them"),
        (True, "background", None, "background", ""),
        (True, "reference", "background", "background", "tokens of the reference; from now on it sees the background's"),
        (True, "background", "reference", "reference", "tokens of the background; from now on it sees the reference's"),
        (False, None, None, "background", ""),
        (False, "reference", None, "background", ""),
        (False, None, "reference", "reference", ""),
    ],
)
def test_an_encoder_that_has_learned_goes_on_as_it_did(
    has_learned: bool, said_in_start: str | None, asked: str | None, expected: str, notice: str, plain: Path, tmp_path: Path
) -> None:
    start = copy_of("v2", tmp_path, (lambda tensors: None) if has_learned else without_heads)
    values = json.loads(start.with_suffix(".json").read_text())
    start.with_suffix(".json").write_text(json.dumps(values | ({"background_context": said_in_start} if said_in_start else {})))
    chosen = None if asked is None else "background" if asked == "background" else "reference"
    stage = make_stage("v2-background", plain, StartCheckpoint(start, background_context=chosen))
    stage.network()
    assert stage.parts.config.background_context == expected
    assert notice in stage.notice and bool(notice) == bool(stage.notice)


def test_new_encoders_learn_with_the_background(plain: Path, v1_checkpoint: Path) -> None:
    stage = make_stage("v2-background", plain, StartCheckpoint(v1_checkpoint))
    stage.network()
    assert stage.parts.config.background_context == "background" and not stage.notice


def test_a_run_goes_on_as_it_began(plain: Path, v2_checkpoint: Path, tmp_path: Path) -> None:
    begun = RUNNER.invoke(app, options("v2-background", plain, v2_checkpoint, tmp_path / "run"))
    assert begun.exit_code == 0 and "it goes on with them" in begun.output
    record = read_run_record(tmp_path / "run")
    assert record is not None and record["background_context"] == "reference"
    other = ("--steps", "3", "--background-context", "background")
    refused = RUNNER.invoke(app, options("v2-background", plain, v2_checkpoint, tmp_path / "run", *other))
    assert refused.exit_code == 2 and "has background_context reference, not background" in refused.output
    out = tmp_path / "v2-mine.safetensors"
    published = RUNNER.invoke(app, ["publish", str(tmp_path / "run"), str(out), "--start", str(v2_checkpoint)])
    assert published.exit_code == 0
    assert load_parts(out).config.background_context == "reference"


def listed(data: Path, folder: Path, sides: list[int]) -> Path:
    """The data set, with a list that gives its images these sides; their files are as they are."""
    for part in ("color", "sketch", "mask"):
        (folder / part).symlink_to(data / part)
    names = sorted(path.name for path in (data / "color" / "disc").iterdir())
    lines = {f"disc/{name}": {"resolution": [2000, side]} for name, side in zip(names, sides, strict=False)}
    (folder / "image_list.json").write_text(json.dumps(lines))
    return folder


def test_v2_leaves_out_listed_images_below_1024(plain: Path, v2_checkpoint: Path, tmp_path: Path) -> None:
    assert {name: info.min_side for name, info in STAGES.items() if info.min_side} == dict.fromkeys(
        ("v2-backbone", "v2-background", "v2-style"), 1024
    )
    data = listed(plain, tmp_path, [1023, 1023, 1024])
    trained = RUNNER.invoke(app, options("v2-style", data, v2_checkpoint, tmp_path / "run"))
    assert trained.exit_code == 0, trained.output
    said = "Listed images left out: 2. Needed are a sketch, a shorter side of 1024 pixels (--min-side)."
    assert said in trained.output
    everything = RUNNER.invoke(app, options("v2-style", data, v2_checkpoint, tmp_path / "all", "--min-side", "0"))
    assert everything.exit_code == 0 and "left out" not in everything.output
    one, other = (load_file(tmp_path / run / "checkpoint" / "model.safetensors") for run in ("run", "all"))
    assert any(not torch.equal(weight, other[name]) for name, weight in one.items())


def test_where_all_images_are_too_small_that_is_said(
    plain: Path, v1_checkpoint: Path, v2_checkpoint: Path, tmp_path: Path
) -> None:
    data = listed(plain, tmp_path, [1023])
    refused = RUNNER.invoke(app, options("v2-style", data, v2_checkpoint, tmp_path / "run"))
    assert refused.exit_code == 2 and "Listed images left out: 1." in refused.output and "(--min-side)" in refused.output
    assert RUNNER.invoke(app, options("v1", data, v1_checkpoint, tmp_path / "run")).exit_code == 0
