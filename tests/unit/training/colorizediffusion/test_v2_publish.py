"""From colored images to a v2 checkpoint that colors, from the command line: a data set, then all stages."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from typer.testing import CliRunner

from backend.families.colorizediffusion import v2
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.families.colorizediffusion.checkpoint.key_mapping import SCHEDULE_BUFFERS
from backend.families.colorizediffusion.checkpoint.loader import Parts, load_parts
from backend.families.colorizediffusion.family import ColorizeDiffusion
from backend.families.colorizediffusion.versions import V1, V2
from backend.training.cli import app
from backend.training.colorizediffusion.stages.v2_new_networks import expand_to_v2
from backend.weights.state_dict import build_on_meta, diff_keys
from tests.parity.files import manifest
from tests.parity.painting import Discs, given, run, same
from tests.unit.training.colorizediffusion.conftest import draw
from tests.unit.training.colorizediffusion.runs import options


def trained(*asked: str) -> str:
    result = CliRunner(env={"COLUMNS": "400"}).invoke(app, list(asked))
    assert result.exit_code == 0, result.output
    return result.output


def count_trained(run_folder: Path, name: str) -> int:
    """The backbone's U-Net holds the pairs, which are frozen there; all else that the other stages save is trained."""
    saved = load_file(run_folder / "checkpoint" / "model.safetensors")
    return len([key for key in saved if name != "v2-backbone" or ".processor.pairs." not in key])


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made by the command, of colored images alone."""
    folder = tmp_path_factory.mktemp("images")
    for number in range(4):
        cv2.imwrite(str(folder / f"{number}.png"), draw(number)[0][..., ::-1])
    trained("dataset", str(folder), str(folder / "set"), "--min-side", "64")
    return folder / "set"


@pytest.fixture(scope="module")
def checkpoints(dataset: Path, v1_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """v1, and what each stage made of the one before."""
    folder = tmp_path_factory.mktemp("stages")
    made = [v1_checkpoint]
    for number, name in enumerate(("v2-backbone", "v2-background", "v2-style")):
        more = ["--steps", "4", "--validation", str(dataset), "--min-side", "64"]
        more += ["--ema-decay", "0.5"] if name == "v2-background" else []
        trained(*options(name, dataset, made[-1], folder / name, *more))
        out = folder / f"v2-stage{number}.safetensors"
        said = trained("publish", str(folder / name), str(out), "--start", str(made[-1]))
        assert said == f"{count_trained(folder / name, name)} trained weights in {out}\n"
        assert len(list((folder / name / "sheets").glob("*.png"))) == 1
        made.append(out)
    return made


def weights(parts: Parts, part: str) -> dict[str, torch.Tensor]:
    """Of a part of the table."""
    unet = dict(parts.unet.named_parameters())
    if part in ("unet", "pairs"):
        return {name: weight for name, weight in unet.items() if (".processor.pairs." in name) == (part == "pairs")}
    return dict(parts.networks[part].named_parameters())


def changed(one: Parts, other: Parts, part: str) -> bool:
    pairs = zip(weights(one, part).values(), weights(other, part).values(), strict=True)
    return any(not torch.equal(a, b) for a, b in pairs)


def test_each_stage_changes_its_parts_alone_and_leaves_a_checkpoint_that_colors(checkpoints: list[Path]) -> None:
    first, second, third = (load_parts(path) for path in checkpoints[1:])
    for parts, path in zip((first, second, third), checkpoints[1:], strict=True):
        assert parts.version.name == "v2" and parts.prediction == "v"
        assert load_file(path).keys() >= set(manifest("v2")) - {name for name in manifest("v2") if "cond_stage" in name}
    start = load_parts(checkpoints[0])
    assert changed(start, first, "sketch_encoder")
    backbone, background, style = (
        ("unet", "sketch_encoder"),
        ("pairs", "background_encoder", "warp_modules"),
        ("style_encoder", "style_modules"),
    )
    assert [part for part in (*backbone, *background, *style) if changed(first, second, part)] == list(background)
    assert [part for part in (*backbone, *background, *style) if changed(second, third, part)] == list(style)
    configs = [json.loads(path.with_suffix(".json").read_text()) for path in checkpoints[1:]]
    assert [config.get("background_context") for config in configs] == [None, "background", "background"]
    assert [config["prediction"] for config in configs] == ["v", "v", "v"]
    assert all(config["head_dim"] == 8 for config in configs) and third.config.background_context == "background"
    family = ColorizeDiffusion(third, Discs(), None)
    results = {mode: run(family, given(v2.SPEC, mode, references=(1, 2))) for mode in ("vanilla", "style", "background")}
    assert not same(results["vanilla"], results["style"]) and not same(results["vanilla"], results["background"])
    assert results["background"].layers.composite.std() > 1


def test_what_no_stage_has_trained_yet_begins_with_the_trained_backbone(checkpoints: list[Path]) -> None:
    parts = load_parts(checkpoints[1])
    for name in ("background_encoder", "style_encoder"):
        encoder = parts.extras[name]
        assert torch.equal(encoder.get_parameter("unet.conv_in.weight"), parts.unet.get_parameter("unet.conv_in.weight"))
        assert not any(bool(weight.any()) for weight in encoder.get_submodule("heads").parameters())
    start = load_parts(checkpoints[0])
    assert not torch.equal(start.unet.get_parameter("unet.conv_in.weight"), parts.unet.get_parameter("unet.conv_in.weight"))


def test_a_fresh_checkpoint_has_exactly_v2_s_tensors(checkpoints: list[Path], v2_checkpoint: Path) -> None:
    ours, published = load_file(checkpoints[1]), load_file(v2_checkpoint)
    text = {name for name in ours if name.startswith("cond_stage_model.transformer.")}  # v1's golden file has CLIP's text tower
    assert ours.keys() - text == published.keys()
    assert all(ours[name].shape == weight.shape for name, weight in published.items())


def test_averages_are_published(checkpoints: list[Path]) -> None:
    folder = checkpoints[2].parent / "v2-background" / "checkpoint"
    last = load_file(folder / "model.safetensors")["background_encoder.heads.0.weight"]
    assert not torch.equal(weights(load_parts(checkpoints[2]), "background_encoder")["heads.0.weight"], last)


def test_a_name_for_noise_is_said_and_changes_nothing(checkpoints: list[Path], tmp_path: Path) -> None:
    """Such as v2-20000steps, which has eps in it."""
    out = tmp_path / "v2-20000steps.safetensors"
    said = trained("publish", str(checkpoints[1].parent / "v2-backbone"), str(out), "--start", str(checkpoints[0]))
    assert (
        "Keep v2-20000steps.json beside it: by its name alone v2-20000steps.safetensors predicts eps, but it learned v." in said
    )
    assert json.loads(out.with_suffix(".json").read_text())["prediction"] == "v" == load_parts(out).prediction


def test_another_start_is_refused(checkpoints: list[Path], v15_checkpoint: Path, tmp_path: Path) -> None:
    runner = CliRunner(env={"COLUMNS": "400"})
    run_folder = checkpoints[1].parent / "v2-backbone"
    other = ["publish", str(run_folder), str(tmp_path / "v2.safetensors"), "--start", str(v15_checkpoint)]
    assert "is not the checkpoint that" in runner.invoke(app, other).output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["v2-backbone", "v2-background", "v2-style"])
def test_v15_is_no_start(name: str, plain: Path, v15_checkpoint: Path, tmp_path: Path) -> None:
    refused = CliRunner(env={"COLUMNS": "400"}).invoke(app, options(name, plain, v15_checkpoint, tmp_path / "run"))
    assert refused.exit_code == 2 and "begins with a checkpoint of v1 or v2" in refused.output
    assert not (tmp_path / "run").exists()


def test_one_of_several_sketches_is_drawn(plain: Path, v2_checkpoint: Path, tmp_path: Path) -> None:
    for name in ("0", "1", "2", "3", "4", "5"):
        (tmp_path / "other" / "disc").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "other" / "disc" / f"{name}.jpg"), np.zeros((96, 96), np.uint8))
    folders = ("--sketch-folder", "sketch", "--sketch-folder", str(tmp_path / "other"))
    trained(*options("v2-style", plain, v2_checkpoint, tmp_path / "run", *folders))
    (tmp_path / "other" / "disc" / "4.jpg").unlink()
    asked = options("v2-style", plain, v2_checkpoint, tmp_path / "run2", *folders)
    refused = CliRunner(env={"COLUMNS": "400"}).invoke(app, asked)
    assert refused.exit_code == 2 and "1 sketches of sketch/ are missing" in refused.output and "disc/4" in refused.output


def test_full_size_v1_expands_to_exactly_the_published_v2() -> None:
    """Names and shapes; what is copied has no numbers here."""
    config, shapes = NetworkConfig(), manifest("mult")
    networks = build_on_meta(lambda: V1.build(shapes, config))
    common = {name: networks[name] for name in ("unet", "sketch_encoder", "vae")}
    parts = Parts(V1, "v", **common, image_encoder=nn.Module(), text=None, tokenizer=None, config=config)  # type: ignore[arg-type]
    expanded = expand_to_v2(parts).networks
    del expanded["image_encoder"]
    missing, _, mismatched = diff_keys([(network, V2.key_map[part]) for part, network in expanded.items()], manifest("v2"))
    assert (missing, mismatched) == ([], [])
    names = {V2.key_map[part](key).name for part, network in expanded.items() for key in network.state_dict()}
    assert manifest("v2").keys() - names == SCHEDULE_BUFFERS
