"""Names and shapes both ways at full size, where CLIP may come from, types."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from backend.families.colorizediffusion.checkpoint import clip_layouts, key_mapping, network_configs
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.families.colorizediffusion.checkpoint.loader import Parts, load_parts, load_text, prediction_from_name
from backend.families.colorizediffusion.versions import detect_version
from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput
from backend.networks.colorizediffusion.hooks import UNetHooks
from backend.weights.state_dict import diff_keys
from shared.errors import ErrorCode, LinewashError
from tests.parity.files import CLIP_FULL_SIZE, FULL_SIZE, clip_alone, copy_of, manifest, refused, without_clip
from tests.parity.golden import VERSIONS, golden
from tests.parity.loaded import everywhere, parts

EXTRAS = {
    "v1": set[str](),
    "v1.5": {"threshold_embedder", "token_transformer"},
    "v2": {"background_encoder", "style_encoder", "warp_modules", "style_modules"},
}


@pytest.mark.parametrize("version", VERSIONS)
def test_full_size_names_and_shapes_agree_both_ways(version: str) -> None:
    shapes, clip = manifest(FULL_SIZE[version]), manifest(CLIP_FULL_SIZE)
    vision, text = clip_layouts.vision_names(clip), clip_layouts.text_names(clip)
    assert vision is not None and text is not None
    with torch.device("meta"):
        built = detect_version(shapes).build(shapes, NetworkConfig())
        towers = [(network_configs.image_encoder(clip, vision, NetworkConfig()), vision)]
        towers += [(network_configs.text_encoder(clip, text, NetworkConfig()), text)]
    key_map = detect_version(shapes).key_map
    named = [(network, key_map[part]) for part, network in built.items()]
    assert diff_keys(named, shapes) == (
        [],
        sorted(key_mapping.SCHEDULE_BUFFERS),
        [],
    )
    assert diff_keys(towers, clip) == ([], ["cond_stage_model.transformer.model.logit_scale"], [])
    assert built.keys() == {"unet", "sketch_encoder", "vae"} | EXTRAS[version]


@pytest.mark.parametrize(
    ("name", "part", "millions"),
    [
        ("switch", "unet", 865.9 + 34.4),
        ("switch", "vae", 83.7),
        ("switch", "sketch_encoder", 64.0),
        ("switch", "threshold_embedder", 1.3),
        ("switch", "token_transformer", 75.8),
        ("v2", "unet", 865.9 + 0.4),
        ("v2", "background_encoder", 266.1),
        ("v2", "style_encoder", 277.0),
        ("v2", "warp_modules", 118.1),
        ("v2", "style_modules", 72.6),
    ],
)
def test_full_size_parameters(name: str, part: str, millions: float) -> None:
    with torch.device("meta"):
        shapes = manifest(name)
        network = detect_version(shapes).build(shapes, NetworkConfig())[part]
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.1)


@pytest.mark.parametrize("version", VERSIONS)
def test_loaded_networks_are_frozen_and_whole(version: str) -> None:
    found = parts(version)
    for network in networks(found).values():
        assert not network.training
        for weight in [*network.parameters(), *network.buffers()]:
            assert not weight.is_meta and not weight.requires_grad


def networks(found: Parts) -> dict[str, nn.Module]:
    return found.networks


def kinds(network: nn.Module) -> set[torch.dtype]:
    return {weight.dtype for weight in network.parameters()}


def test_types_are_the_ones_asked_for() -> None:
    wide = networks(parts("v1.5"))
    assert all(kinds(network) == {torch.float32} for network in wide.values())
    narrow = load_parts(golden("v1.5").sd, dtype=torch.bfloat16, vae_dtype=torch.float16, clip_dtype=torch.bfloat16)
    assert kinds(narrow.vae) == {torch.float16} and kinds(narrow.image_encoder) == {torch.bfloat16}
    assert kinds(narrow.sketch_encoder) == {torch.bfloat16}
    in_float32 = {name.split(".")[1] for name, weight in narrow.unet.named_parameters() if weight.dtype is torch.float32}
    assert in_float32 == {"time_embedding", "conv_norm_out", "conv_out"}
    assert kinds(narrow.extras["token_transformer"]) == {torch.float32}


def test_the_network_runs_in_bfloat16() -> None:
    g, narrow = golden("v1.5"), load_parts(golden("v1.5").sd, dtype=torch.bfloat16, clip_dtype=torch.bfloat16)
    context = narrow.image_encoder(g.image("reference"))[:, 1:]
    hooks = UNetHooks(narrow.sketch_encoder(g.sketch().bfloat16()))
    known = CrossAttentionInput(context, everywhere(1.0), None)
    found = narrow.unet(g.inputs["x_t"], g.inputs["timestep"], narrow.unet.prepare(known), hooks)
    expected = g.outputs["unet.vanilla.cond"]
    assert found.dtype == torch.float32
    assert (found - expected).abs().mean() < 0.1 * expected.abs().mean()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mult-eps-ft.safetensors", "eps"),
        ("switch-eps.safetensors", "eps"),
        ("v2-full.safetensors", "v"),
        ("mine.safetensors", "v"),
    ],
)
def test_prediction_by_the_name(name: str, expected: str) -> None:
    assert prediction_from_name(name) == expected


def test_prediction_may_be_given() -> None:
    assert parts("v1").prediction == "eps"
    assert load_parts(golden("v1").sd, prediction="v").prediction == "v"


@pytest.mark.parametrize(("said", "expected"), [("eps", "eps"), ("v", "v"), (None, "eps")])
def test_the_configuration_beside_it_is_right_whatever_the_name(tmp_path: Path, said: str | None, expected: str) -> None:
    path = copy_of("v1", tmp_path)
    renamed = path.rename(tmp_path / "v2-20000steps.safetensors")  # has eps in it
    values = json.loads(path.with_suffix(".json").read_text())
    renamed.with_suffix(".json").write_text(json.dumps({**values, "prediction": said} if said else values))
    assert load_parts(renamed).prediction == expected
    assert load_parts(renamed, prediction="v").prediction == "v"


def as_published(name: str) -> str:
    return name


def as_openclip(name: str) -> str:
    return name.replace("cond_stage_model.visual.model.", "visual.").replace("cond_stage_model.transformer.model.", "")


@pytest.mark.parametrize("rename", [as_published, as_openclip])
def test_clip_may_come_from_another_file(tmp_path: Path, rename: Callable[[str], str]) -> None:
    path, clip = copy_of("v1", tmp_path, without_clip), clip_alone("v1", tmp_path, rename)
    found = load_parts(path, {"clip-vit-h-14": clip})
    assert torch.equal(
        found.image_encoder(golden("v1").image("reference")), parts("v1").image_encoder(golden("v1").image("reference"))
    )
    assert found.text == clip
    texts = load_text(clip)(golden("v1").inputs["text_tokens"])
    assert (texts - golden("v1").outputs["text"]).abs().max() < 1e-4


def test_clip_may_come_in_transformers_names(tmp_path: Path) -> None:
    text = parts("v1").text
    assert text is not None
    towers = {**parts("v1").image_encoder.state_dict(), **load_text(text).state_dict(), "clip.logit_scale": torch.tensor(4.6)}
    towers |= {f"clip.{tower}_model.embeddings.position_ids": torch.arange(5)[None] for tower in ("vision", "text")}
    clip = tmp_path / "model.safetensors"
    save_file({name.removeprefix("clip."): x.contiguous() for name, x in towers.items()}, clip)
    clip.with_suffix(".json").write_bytes(golden("v1").sd.with_suffix(".json").read_bytes())
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_text("")
    found = load_parts(copy_of("v1", tmp_path, without_clip), {"clip-vit-h-14": clip})
    assert torch.equal(
        found.image_encoder(golden("v1").image("reference")), parts("v1").image_encoder(golden("v1").image("reference"))
    )
    assert found.text == clip and found.tokenizer == tmp_path
    assert torch.equal(load_text(clip).clip.text_projection.weight, towers["clip.text_projection.weight"])


def test_without_clip_it_says_so(tmp_path: Path) -> None:
    path = copy_of("v1.5", tmp_path, without_clip)
    assert refused(path).code is ErrorCode.COMPANION_MISSING
    assert refused(path, path).code is ErrorCode.COMPANION_MISSING
    with pytest.raises(LinewashError) as caught:
        load_text(path)
    assert caught.value.code is ErrorCode.COMPANION_MISSING
