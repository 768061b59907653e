"""Names and shapes both ways at full size, where CLIP may come from, types, and files that are refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from backend.families.colorizediffusion.checkpoint import clip_layouts, key_mapping, network_configs
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.families.colorizediffusion.checkpoint.loader import Parts, load_parts, load_text, prediction_from_name
from backend.families.colorizediffusion.versions import detect_version
from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput
from backend.networks.colorizediffusion.hooks import UNetHooks
from backend.weights.safetensors_file import SafetensorsFile
from backend.weights.state_dict import diff_keys
from shared.errors import ErrorCode, LinewashError
from tests.parity.files import CLIP_FULL_SIZE, FULL_SIZE, clip_alone, copy_of, manifest, without_clip
from tests.parity.golden import VERSIONS, golden
from tests.parity.loaded import everywhere, features, parts, tokens


def refused(path: Path, clip: Path | None = None) -> LinewashError:
    with pytest.raises(LinewashError) as caught:
        load_parts(path, {} if clip is None else {"clip-vit-h-14": clip})
    return caught.value


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
    names = {"unet", "sketch_encoder", "vae"}
    assert built.keys() == (names | {"threshold_embedder", "token_transformer"} if version == "v1.5" else names)


@pytest.mark.parametrize(
    ("part", "millions"),
    [("unet", 865.9 + 34.4), ("vae", 83.7), ("sketch_encoder", 64.0), ("threshold_embedder", 1.3), ("token_transformer", 75.8)],
)
def test_full_size_parameters(part: str, millions: float) -> None:
    with torch.device("meta"):
        shapes = manifest("switch")
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


QUERY = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_q"
CHANGES: dict[str, tuple[Callable[[dict[str, Tensor]], object], str]] = {
    "missing weight": (lambda x: x.pop("control_encoder.model.4.bias"), "1 missing: control_encoder.model.4.bias"),
    "missing pair": (lambda x: x.pop(f"{QUERY}.lora_up_fg.weight"), f"1 missing: {QUERY}.lora_up_fg.weight"),
    "missing rank": (lambda x: x.pop(f"{QUERY}.lora_down_bg.weight"), f"missing {QUERY}.lora_down_bg.weight"),
    "missing embedder": (lambda x: x.pop("thresh_embedder.embed_layer.0.weight"), "thresh_embedder.embed_layer.0.weight"),
    "unexpected": (lambda x: x.update({"model_ema.decay": torch.ones(1)}), "1 unexpected: model_ema.decay"),
    "unexpected in CLIP": (lambda x: x.update({"cond_stage_model.x": torch.ones(1)}), "1 unexpected: cond_stage_model.x"),
    "a temperature elsewhere": (lambda x: x.update({"logit_scale": torch.ones(1)}), "1 unexpected: logit_scale"),
    "positions elsewhere": (lambda x: x.update({"x.position_ids": torch.ones(1)}), "1 unexpected: x.position_ids"),
    "another shape": (lambda x: x.update({"transformer.layers.1.1.bias": torch.ones(7)}), "transformer.layers.1.1.bias [7]"),
    "linear projections": (
        lambda x: x.update({name: y.flatten(1) for name, y in x.items() if name.endswith("proj_in.weight")}),
        "of another shape: model.diffusion_model.input_blocks.1.1.proj_in.weight",
    ),
}


FIRST = "model.diffusion_model.input_blocks.1.0.out_layers.3.weight"
IMPOSSIBLE = {
    "no width": {FIRST: torch.empty(0, 16, 3, 3)},
    "width no group divides": {FIRST: torch.ones(30, 16, 3, 3)},
    "no dimensions": {FIRST: torch.tensor(1.0)},
    "no positions": {"cond_stage_model.visual.model.positional_embedding": torch.empty(0, 64)},
    "no patch": {"cond_stage_model.visual.model.conv1.weight": torch.empty(64, 3, 0, 0)},
    "no rank": {f"{QUERY}.lora_down_fg.weight": torch.empty(0, 64)},
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_shapes_no_network_can_have_are_refused(tmp_path: Path, name: str) -> None:
    path = copy_of("v1.5", tmp_path, lambda tensors: tensors.update(IMPOSSIBLE[name]))
    assert refused(path).code is ErrorCode.MODEL_KEYS


@pytest.mark.parametrize("name", CHANGES)
def test_what_does_not_fit_is_named(tmp_path: Path, name: str) -> None:
    change, detail = CHANGES[name]
    error = refused(copy_of("v1.5", tmp_path, change))
    assert error.code is ErrorCode.MODEL_KEYS and detail in error.detail


def test_what_is_tolerated_is_documented_by_its_full_name() -> None:
    clips = [layout.extras for layout in clip_layouts.CLIP_LAYOUTS]
    documented = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    assert [name for name in key_mapping.SCHEDULE_BUFFERS.union(*clips) if f"`{name}`" not in documented] == []


def test_the_schedule_may_be_absent(tmp_path: Path) -> None:
    def without_schedule(tensors: dict[str, Tensor]) -> None:
        for name in key_mapping.SCHEDULE_BUFFERS:
            del tensors[name]

    assert load_parts(copy_of("v1", tmp_path, without_schedule)).version.name == "v1"


@pytest.mark.parametrize("start", ["control_encoder.", "first_stage_model.", "model.diffusion_model."])
def test_a_file_without_one_of_the_networks_is_another_kind(tmp_path: Path, start: str) -> None:
    def without(tensors: dict[str, Tensor]) -> None:
        for name in [name for name in tensors if name.startswith(start)]:
            del tensors[name]

    assert refused(copy_of("v1", tmp_path, without)).code is ErrorCode.MODEL_OTHER_FAMILY


@pytest.mark.parametrize("name", ["bg_encoder.x", "style_encoder.x", "model.diffusion_model.label_emb.0.0.weight"])
def test_a_later_generation_is_another_kind(tmp_path: Path, name: str) -> None:
    path = copy_of("v1", tmp_path, lambda tensors: tensors.update({name: torch.ones(1)}))
    assert refused(path).code is ErrorCode.MODEL_OTHER_FAMILY


def corrupt(path: Path) -> None:
    """Make one number of the file infinite."""
    with SafetensorsFile(path) as file:
        entry = file.entries["control_encoder.model.2.weight"]
    content = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(content[:8], "little") + entry.begin
    content[start : start + 4] = b"\x00\x00\x80\x7f"
    path.write_bytes(content)


def rename(path: Path) -> None:
    """Put a pickle in the file's place."""
    torch.save({"state_dict": {"a": torch.ones(1)}}, path)


def cut(path: Path) -> None:
    """Leave the first half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def lie(path: Path) -> None:
    """Let the header speak of data that are not there, and of others twice."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["betas"] = header["alphas_cumprod"]
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])


REFUSED = {
    corrupt: ErrorCode.MODEL_CORRUPT,
    rename: ErrorCode.MODEL_PICKLE,
    cut: ErrorCode.MODEL_TRUNCATED,
    lie: ErrorCode.MODEL_HEADER,
}


@pytest.mark.parametrize("harm", REFUSED, ids=lambda harm: harm.__name__)
def test_a_refused_file_leaves_the_loaded_model_as_it_was(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    g, path = golden("v1"), copy_of("v1", tmp_path)
    found = load_parts(path)
    known = CrossAttentionInput(tokens("v1", "reference"), everywhere(1.0), None)
    asked = g.inputs["x_t"], g.inputs["timestep"], known, UNetHooks(features("v1")[0])
    before = found.unet(*asked)
    harm(path)  # the very file the model came from: what was loaded does not depend on it
    assert refused(path).code is REFUSED[harm]
    assert torch.equal(found.unet(*asked), before)
    assert (before - g.outputs["unet.vanilla.cond"]).abs().max() < 1e-4
