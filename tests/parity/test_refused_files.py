"""Files that are refused, each with a reason, and what is tolerated."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from backend.families.colorizediffusion.checkpoint import clip_layouts, key_mapping
from backend.families.colorizediffusion.checkpoint.loader import load_parts
from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput
from backend.networks.colorizediffusion.hooks import UNetHooks
from backend.weights.safetensors_file import SafetensorsFile
from shared.errors import ErrorCode
from tests.parity.files import copy_of, refused
from tests.parity.golden import VERSIONS, golden
from tests.parity.loaded import everywhere, features, tokens

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


def test_a_later_generation_is_another_kind(tmp_path: Path) -> None:
    names = ("model.diffusion_model.label_emb.0.0.weight", "bg_encoder.x")
    path = copy_of("v1", tmp_path, lambda tensors: tensors.update({name: torch.ones(1) for name in names}))
    assert refused(path).code is ErrorCode.MODEL_OTHER_FAMILY


@pytest.mark.parametrize(
    ("version", "start", "title"),
    [
        ("v2", "bg_encoder.", "ColorizeDiffusion v2 without its background encoder"),
        ("v2", "style_encoder.", "ColorizeDiffusion v2 without its style encoder"),
        ("v2", "model.diffusion_model.warp_modules.", "ColorizeDiffusion v2 without its warp modules"),
        ("v2", "model.diffusion_model.style_modules.", "ColorizeDiffusion v2 without its style modules"),
        ("v1.5", "transformer.", "ColorizeDiffusion v1.5 without its token transformer"),
    ],
)
def test_a_missing_network_is_named(tmp_path: Path, version: str, start: str, title: str) -> None:
    def without(tensors: dict[str, Tensor]) -> None:
        for name in [name for name in tensors if name.startswith(start)]:
            del tensors[name]

    error = refused(copy_of(version, tmp_path, without))
    assert error.code is ErrorCode.MODEL_PART_MISSING and title in error.message


def corrupt(path: Path) -> None:
    """Make one number of the file infinite."""
    _write_number(path, b"\x00\x00\x80\x7f")


def poison(path: Path) -> None:
    """Make one number of the file not a number."""
    _write_number(path, b"\x00\x00\xc0\x7f")


def _write_number(path: Path, number: bytes) -> None:
    with SafetensorsFile(path) as file:
        entry = file.entries["control_encoder.model.2.weight"]
    content = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(content[:8], "little") + entry.begin
    content[start : start + 4] = number
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
    poison: ErrorCode.MODEL_CORRUPT,
    rename: ErrorCode.MODEL_PICKLE,
    cut: ErrorCode.MODEL_TRUNCATED,
    lie: ErrorCode.MODEL_HEADER,
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("harm", REFUSED, ids=lambda harm: harm.__name__)
def test_a_refused_file_leaves_the_loaded_model_as_it_was(tmp_path: Path, harm: Callable[[Path], None], version: str) -> None:
    g, path = golden(version), copy_of(version, tmp_path)
    found = load_parts(path)
    known = CrossAttentionInput(tokens(version, "reference"), everywhere(1.0), None)
    asked = g.inputs["x_t"], g.inputs["timestep"], known, UNetHooks(features(version)[0])
    before = found.unet(*asked)
    harm(path)  # the very file the model came from: what was loaded does not depend on it
    assert refused(path).code is REFUSED[harm]
    assert torch.equal(found.unet(*asked), before)
    assert (before - g.outputs["unet.vanilla.cond"]).abs().max() < 1e-4
