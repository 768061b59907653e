"""Checkpoints in the models folder are found, named and distinguished; what is none of them is listed with the reason."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from backend.families.animediffusion import factory as animediffusion
from backend.families.checkpoints import CheckpointFamily
from backend.families.colorizediffusion.factory import FAMILIES
from backend.weights.detection import CLIP_WIDTHS, CheckpointKind, find_companions, registry_name, scan_models

CLIP_WIDTH = next(iter(CLIP_WIDTHS))
KNOWN = tuple(each.kind if isinstance(each, CheckpointFamily) else each for each in (*FAMILIES, animediffusion.FAMILY))
LATENT = (
    "model.diffusion_model.out.2.weight",
    "first_stage_model.quant_conv.weight",
    "control_encoder.model.0.weight",
    "betas",
)
KINDS = {
    "v1": LATENT,
    "v1.5": (*LATENT, "thresh_embedder.embed_layer.0.weight", "transformer.embedding"),
    "v2": (*LATENT, "bg_encoder.time_embed.0.weight", "style_encoder.time_embed.0.weight"),
    "xl": (*LATENT, "proj.norm.weight"),
    "xlv2": (*LATENT, "proj.norm.weight", "bg_encoder.time_embed.0.weight"),
    "animediffusion": ("gammas", "denoise_fn.input.0.weight"),
    "unknown": ("model.diffusion_model.out.2.weight", "first_stage_model.quant_conv.weight"),
}


def write(path: Path, names: tuple[str, ...], width: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: torch.zeros(width) for name in names}, path)
    return path


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_dropped_checkpoint_is_recognized_by_its_keys(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "Any Name (1).safetensors", KINDS[kind])
    (model,) = scan_models(tmp_path, KNOWN)
    assert (model.name, model.path, model.kind, model.size) == ("any-name-1", path, kind, path.stat().st_size)
    assert bool(model.problem) is (kind == "unknown")


@pytest.mark.parametrize(
    "name",
    ["vision_model.embeddings.class_embedding", "visual.class_embedding", "cond_stage_model.visual.model.class_embedding"],
)
def test_the_image_encoder_is_recognized_under_each_of_its_names(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "clip" / "model.safetensors", (name,), CLIP_WIDTH)
    big = write(tmp_path / "big" / "model.safetensors", (name,), 1664)
    write(tmp_path / "other" / "model.safetensors", (name,), 768)
    assert find_companions(scan_models(tmp_path)) == {"clip-vit-h-14": path, "clip-vit-bigg-14": big}


def test_the_tagger_is_recognized(tmp_path: Path) -> None:
    path = write(tmp_path / "tagger.safetensors", ("layers.0.blocks.0.attn.cpb_mlp.0.weight", "head.fc.weight"))
    assert find_companions(scan_models(tmp_path)) == {"wd-tagger": path}


def test_a_checkpoint_may_hold_its_own_image_encoder(tmp_path: Path) -> None:
    write(tmp_path / "full.safetensors", (*LATENT, "cond_stage_model.visual.model.class_embedding"), 64)
    write(tmp_path / "plain.safetensors", LATENT)
    assert {each.name: (each.kind, each.included) for each in scan_models(tmp_path, KNOWN)} == {
        "full": ("v1", {"clip-vit-h-14"}),
        "plain": ("v1", frozenset()),
    }


def test_names_are_unique_and_never_paths(tmp_path: Path) -> None:
    for place in (
        "tiny.safetensors",
        "a/tiny.safetensors",
        "b/tiny.safetensors",
        "../outside.safetensors",
        "a/deep/x.safetensors",
    ):
        write(tmp_path / "models" / place, LATENT)
    assert [each.name for each in scan_models(tmp_path / "models")] == ["a-tiny", "b-tiny", "tiny"]
    assert registry_name("../../Etc/Passwd") == "etc-passwd"
    assert registry_name("...") == ""


def test_what_cannot_be_read_is_listed_with_a_sentence(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.safetensors", LATENT).read_bytes()
    (tmp_path / "short.safetensors").write_bytes(whole[:-1])
    (tmp_path / "text.safetensors").write_text("no weights, only words", encoding="utf-8")
    torch.save({}, tmp_path / "pickle.safetensors")
    problems = {each.name: each.problem for each in scan_models(tmp_path, KNOWN)}
    damaged = [problems[name] for name in ("short", "text", "pickle")]
    assert problems["whole"] == "" and all(damaged) and len(set(damaged)) == len(damaged)


def test_a_half_written_file_and_a_shipped_models_own_folder_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "mini" / "flats.safetensors", LATENT)
    (tmp_path / "mini" / "SHA256SUMS").touch()
    (tmp_path / ".tiny.safetensors.0123456789abcdef.part").write_bytes(b"half")
    assert scan_models(tmp_path) == ()
    assert scan_models(tmp_path / "nowhere") == ()


def test_a_lone_file_of_the_usual_name_is_called_after_its_folder(tmp_path: Path) -> None:
    for place in ("model", "alone/model", "pair/model", "pair/other", "isnet-sketch/model"):
        write(tmp_path / f"{place}.safetensors", LATENT)
    (tmp_path / "isnet-sketch" / "model.safetensors").write_bytes(b"no weights")
    models = {model.name: model for model in scan_models(tmp_path)}
    assert sorted(models) == ["alone", "isnet-sketch", "model", "other", "pair-model"]
    assert models["isnet-sketch"].kind == "isnet-sketches"


@pytest.mark.parametrize(
    ("names", "fits"),
    [
        (("a.x", "b.y", "c.z"), True),
        (("a.x", "b.y", "d.z"), True),
        (("a.x", "b.y"), False),
        (("a.x", "c.z"), False),
        (("xa.x", "b.y", "c.z"), False),
    ],
)
def test_a_kind_asks_for_all_of_some_names_and_one_of_others(names: tuple[str, ...], fits: bool) -> None:
    assert CheckpointKind("kind", ("a.", "b."), ("c.", "d.")).matches(iter(names)) is fits
    assert CheckpointKind("kind", ("a.", "b.")).matches(names) is ({"a.x", "b.y"} <= set(names))
