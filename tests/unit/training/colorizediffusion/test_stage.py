"""Both stages on tiny networks: they learn, resume to the bit, agree among processes, and give a checkpoint that loads."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from backend.families.colorizediffusion.checkpoint.loader import load_parts
from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput, Split
from backend.networks.colorizediffusion.half_selectors import HardSelector
from backend.networks.colorizediffusion.hooks import UNetHooks
from backend.training.cli import app
from backend.training.colorizediffusion.dataset import ImageDataset
from backend.training.colorizediffusion.stages.stage import Stage, StartCheckpoint
from backend.training.colorizediffusion.stages.v15 import V15Stage
from backend.training.colorizediffusion.validation_images import create_sheet_renderer
from backend.training.engine.trainer import resolve_batches_per_step
from tests.unit.training.colorizediffusion.conftest import settings
from tests.unit.training.colorizediffusion.runs import check_learns_and_resumes, make_stage, options, run_of
from tests.unit.training.two_processes import check_two_processes_agree_with_one

MakeStage = Callable[[str], Stage]


@pytest.fixture
def stage_of(plain: Path, v1_checkpoint: Path) -> MakeStage:
    def make(name: str, again: bool = False) -> Stage:
        return make_stage(name, plain, StartCheckpoint(v1_checkpoint, gradient_checkpointing=again))

    return make


@pytest.mark.slow
@pytest.mark.parametrize(("name", "average"), [("v1", 0.99), ("v15", 0.0)])
def test_fifty_steps_lower_the_loss_and_resume_to_the_bit(
    name: str, average: float, stage_of: MakeStage, tmp_path: Path
) -> None:
    check_learns_and_resumes(stage_of(name), stage_of(name), name, tmp_path, average, most=0.97)


def test_v15_trains_pairs_and_token_networks_alone(stage_of: MakeStage, tmp_path: Path) -> None:
    stage = stage_of("v15")
    run = run_of(stage, "v15", tmp_path)
    names = {name.split(".")[0] for name, _ in run.unwrapped_network.named_parameters()}
    assert names == {"pairs", "threshold_embedder", "token_transformer"}
    unet = stage.parts.unet
    trained = {id(p) for p in run.unwrapped_network.parameters()}
    others = {name: p.detach().clone() for name, p in unet.named_parameters() if id(p) not in trained}
    pairs = [p.detach().clone() for name, p in unet.named_parameters() if "pairs" in name]
    for _ in range(2):  # at first the halves that add are zero, so that those before them learn from the second step on
        run.step()
    after = dict(unet.named_parameters())
    assert all(torch.equal(after[name], value) for name, value in others.items())
    assert len(pairs) == 16 * 3 * 2 * 2
    changed = [not torch.equal(a, b) for a, b in zip(pairs, (p for n, p in after.items() if "pairs" in n), strict=True)]
    assert np.mean(changed) > 0.8  # the deepest see one cell here, which is foreground or background


def test_a_fresh_v15_colors_as_v1(stage_of: MakeStage, tmp_path: Path) -> None:
    """Pairs add nothing before they are trained: with the foreground's tokens in both halves a split changes nothing."""
    stage = stage_of("v15")
    network = stage.network()
    batch = stage.batch(np.random.default_rng(0))
    tokens = stage.encode_tokens(batch.reference, batch.warp)
    hooks = UNetHooks(stage.parts.sketch_encoder(batch.sketch))
    unet = stage.parts.unet
    whole = (1.0,) * 16
    selector = HardSelector((0.5,) * 16)
    split = Split(torch.rand(2, 1, 8, 8), whole, whole, (0.0,) * 16, selector, "foreground", "background")
    with torch.no_grad():
        divided = unet(batch.noise, batch.time, CrossAttentionInput(torch.cat([tokens, tokens], 1), whole, split), hooks)
        plain = unet(batch.noise, batch.time, CrossAttentionInput(tokens, whole, None), hooks)
    torch.testing.assert_close(divided, plain, atol=1e-5, rtol=1e-4)
    assert network.training


@pytest.mark.parametrize("name", ["v1", "v15"])
def test_sparing_memory_changes_no_gradient(name: str, stage_of: MakeStage) -> None:
    gradients: list[list[torch.Tensor]] = []
    for again in (False, True):
        torch.manual_seed(0)  # v1.5's new parts
        stage = stage_of(name, again)
        network = stage.network()
        loss, _ = stage.loss(network, stage.batch(np.random.default_rng(1)))
        loss.backward()
        gradients.append([p.grad for p in network.parameters() if p.grad is not None])
        assert len(gradients[-1]) == len(list(network.parameters()))
    for plain, recomputed in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, recomputed, atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize(("again", "name"), [(False, "v1"), (True, "v1"), (True, "v15")])
def test_sparing_memory_computes_blocks_again_on_the_way_back(name: str, again: bool, stage_of: MakeStage) -> None:
    stage = stage_of(name, again)
    network = stage.network()
    unet, called = stage.parts.unet, list[str]()
    kinds = ("ResnetBlock2D", "Transformer2DModel")
    blocks = {place: module for place, module in unet.named_modules() if type(module).__name__ in kinds}
    for place, module in blocks.items():
        module.register_forward_pre_hook(lambda module, inputs, place=place: called.append(place))
    loss, _ = stage.loss(network, stage.batch(np.random.default_rng(1)))
    assert sorted(called) == sorted(blocks) and len(blocks) == 22 + 16
    called.clear()
    loss.backward()
    if not again:
        assert called == []
    elif name == "v1":
        assert sorted(called) == sorted(blocks)
    else:  # nothing is learned before the first pair
        assert len(called) == len(set(called)) and set(called) >= {place for place in blocks if "attentions" in place}


@pytest.mark.slow
def test_two_processes_agree_with_one(plain: Path, v1_checkpoint: Path, project: Path, tmp_path: Path) -> None:
    check_two_processes_agree_with_one(lambda run: options("v15", plain, v1_checkpoint, run), project, tmp_path)


@pytest.mark.parametrize("name", ["v1", "v15"])
def test_what_was_learned_is_a_checkpoint_that_loads(name: str, plain: Path, v1_checkpoint: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    more = ("--ema-decay", "0.9", "--noisy-reference") if name == "v1" else ()
    trained = runner.invoke(app, options(name, plain, v1_checkpoint, tmp_path / "run", "--validation", str(plain), *more))
    assert trained.exit_code == 0, trained.output
    out = tmp_path / "mult-eps-mine.safetensors"
    written = runner.invoke(app, ["publish", str(tmp_path / "run"), str(out), "--start", str(v1_checkpoint)])
    assert written.exit_code == 0, written.output
    parts, start = load_parts(out), load_parts(v1_checkpoint)
    assert parts.version.name == {"v1": "v1", "v15": "v1.5"}[name]
    encoders = (each.sketch_encoder.parameters() for each in (parts, start))
    changed = [not torch.equal(a, b) for a, b in zip(*encoders, strict=True)]
    assert all(changed) if name == "v1" else not any(changed)
    last, key = load_file(tmp_path / "run" / "checkpoint" / "model.safetensors"), "sketch_encoder.trunk.0.weight"
    if name == "v1":  # the averaged weights are published, not those of the last step
        assert not torch.equal(parts.sketch_encoder.get_parameter("trunk.0.weight"), last[key])
    else:
        assert torch.equal(
            parts.extras["threshold_embedder"].get_parameter("layers.2.weight"), last["threshold_embedder.layers.2.weight"]
        )
    assert "Keep" not in written.output
    unnamed = ["publish", str(tmp_path / "run"), str(tmp_path / "mine.safetensors"), "--start", str(v1_checkpoint)]
    assert "Keep mine.json beside it" in runner.invoke(app, unnamed).output
    assert load_parts(tmp_path / "mine.safetensors").prediction == parts.prediction == "eps"
    assert len(list((tmp_path / "run" / "sheets").glob("*.png"))) == 1


def test_a_sheet_shows_another_reference(stage_of: MakeStage, plain: Path) -> None:
    stage = stage_of("v15")
    network = stage.network().eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):  # as in training
        sheet = create_sheet_renderer(stage, ImageDataset(plain, masks=True), count=2, steps=2)(network)
    assert sheet.ndim == 3 and sheet.dtype == np.uint8
    assert sheet.shape[0] > sheet.shape[1] / 4


def test_uneven_shares_are_refused() -> None:
    assert resolve_batches_per_step(0, 3) == 3 and resolve_batches_per_step(6, 3) == 6
    with pytest.raises(ValueError, match="evenly"):
        resolve_batches_per_step(4, 3)


@pytest.mark.parametrize(
    ("options_", "message"), [(["--crops", "500x512"], "64"), (["--crops", "big"], "crops"), (["--prediction", "x"], "neither")]
)
def test_options_that_make_no_sense_are_refused(
    options_: list[str], message: str, plain: Path, v1_checkpoint: Path, tmp_path: Path
) -> None:
    asked = ["v1", "--data", str(plain), "--start", str(v1_checkpoint), "--run", str(tmp_path / "run"), *options_]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code != 0
    assert message in result.output


def test_v1_does_not_begin_with_v15(plain: Path, v1_checkpoint: Path, v15_checkpoint: Path, tmp_path: Path) -> None:
    runner = CliRunner(env={"COLUMNS": "400"})
    refused = runner.invoke(app, options("v1", plain, v15_checkpoint, tmp_path / "run"))
    assert refused.exit_code == 2
    assert f"{v15_checkpoint.name} is v1.5; this stage begins with a checkpoint of v1" in refused.output
    assert not (tmp_path / "run").exists()
    assert runner.invoke(app, options("v1", plain, v1_checkpoint, tmp_path / "run")).exit_code == 0
    out = tmp_path / "switch-eps-mine.safetensors"
    mixed = runner.invoke(app, ["publish", str(tmp_path / "run"), str(out), "--start", str(v15_checkpoint)])
    assert mixed.exit_code == 2 and "is not the checkpoint that" in mixed.output
    assert not out.exists()


@pytest.mark.parametrize("begun", ["v1_checkpoint", "v15_checkpoint"])
def test_v15_begins_with_v1_or_goes_on_from_v15(begun: str, plain: Path, request: pytest.FixtureRequest) -> None:
    start = StartCheckpoint(request.getfixturevalue(begun))
    stage = V15Stage(ImageDataset(plain, masks=True), start, settings("v15"))
    stage.network()
    assert stage.parts.version.name == "v1.5"


def test_training_mini_needs_no_package_of_the_published(project: Path) -> None:
    program = "import sys, backend.training.cli; print('backend.networks.clip' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
