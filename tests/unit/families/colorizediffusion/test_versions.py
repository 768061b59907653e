"""A new version is one row: how it is recognized, what is built, and what its files call it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.families.colorizediffusion.checkpoint.loader import load_parts
from backend.families.colorizediffusion.conditioning import extra_part
from backend.families.colorizediffusion.family import ColorizeDiffusion
from backend.families.colorizediffusion.offload import module_groups
from backend.families.colorizediffusion.versions import LATER_KINDS, V1, V2, V15, VERSIONS, XL, detect_version, name_warning
from backend.weights.detection import CheckpointKind
from backend.weights.state_dict import Shapes, WeightSource, axis_length
from shared.errors import ErrorCode, LinewashError
from tests.parity.golden import golden
from tests.parity.painting import Discs, given, run

COMMON = ("model.diffusion_model.out.2.weight", "first_stage_model.quant_conv.weight", "control_encoder.model.0.weight")


class MoodEmbedder(nn.Module):
    """The extra part of a version that does not exist."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, width)


def build(shapes: Shapes, config: NetworkConfig) -> dict[str, nn.Module]:
    return {**V1.build(shapes, config), "mood_embedder": MoodEmbedder(axis_length(shapes, "mood.proj.weight"))}


TOY = replace(
    V1,
    kind=CheckpointKind("toy", V1.kind.all_of, ("mood.",)),
    build=build,
    key_map={**V1.key_map, "mood_embedder": lambda key: WeightSource(key.replace("linear.", "mood.proj."))},
    latent_scale=0.13025,
    step_parts=("unet", "mood_embedder"),
)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """v1's tiny checkpoint with the extra part."""
    source = golden("v1").sd
    path = tmp_path / "toy-eps.safetensors"
    save_file({**load_file(source), "mood.proj.weight": torch.eye(8), "mood.proj.bias": torch.ones(8)}, path)
    path.with_suffix(".json").write_bytes(source.with_suffix(".json").read_bytes())
    return path


def test_a_toy_version_is_loaded_and_colors_by_its_row_alone(checkpoint: Path) -> None:
    parts = load_parts(checkpoint, versions=(TOY, *VERSIONS))
    assert parts.version is TOY and set(parts.extras) == {"mood_embedder"}
    mood = extra_part(parts.extras, "mood_embedder", MoodEmbedder)
    assert torch.equal(mood.linear.weight, torch.eye(8)) and not mood.training
    groups = module_groups(parts)
    assert groups.step == (parts.unet, mood)
    assert set(groups.other) == {parts.sketch_encoder, parts.vae, parts.image_encoder}
    family = ColorizeDiffusion(parts, Discs(), None)
    assert run(family, given(family.spec, "masked", steps=1)).layers.composite.shape == (160, 240, 4)


def test_without_its_row_the_extra_part_is_unexpected(checkpoint: Path) -> None:
    with pytest.raises(LinewashError) as caught:
        load_parts(checkpoint)
    assert caught.value.code is ErrorCode.MODEL_KEYS and "2 unexpected: mood.proj.bias, mood.proj.weight" in caught.value.detail


def test_what_its_row_asks_for_is_missed_by_the_file_s_own_name(checkpoint: Path) -> None:
    tensors = load_file(checkpoint)
    del tensors["mood.proj.bias"]
    save_file(tensors, checkpoint)
    with pytest.raises(LinewashError) as caught:
        load_parts(checkpoint, versions=(TOY, *VERSIONS))
    assert caught.value.code is ErrorCode.MODEL_KEYS and "1 missing: mood.proj.bias" in caught.value.detail


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_a_row_maps_the_parts_it_builds(version: object) -> None:
    assert version in VERSIONS and {"unet", "sketch_encoder", "vae"} <= set(version.key_map)  # type: ignore[attr-defined]
    assert set(version.step_parts) <= set(version.key_map)  # type: ignore[attr-defined]
    assert set(version.low_precision_parts) <= set(version.key_map)  # type: ignore[attr-defined]


def test_versions_are_distinguished_by_names() -> None:
    assert detect_version(COMMON) is V1
    assert detect_version((*COMMON, "transformer.embedding")) is V15
    assert detect_version((*COMMON, "thresh_embedder.embed_layer.0.weight")) is V15
    for name in ("bg_encoder.x", "style_encoder.x", "model.diffusion_model.warp_modules.0.x"):
        assert detect_version((*COMMON, name)) is V2
    for name in ("proj.norm.weight", "model.diffusion_model.label_emb.0.0.weight"):
        assert detect_version((*COMMON, name)) is XL


def test_a_file_named_like_another_version_gets_a_sentence() -> None:
    assert name_warning(V15, "switch-eps") == name_warning(V15, "mine") == ""
    assert "v2-full is named like ColorizeDiffusion v2 but holds ColorizeDiffusion v1.5" in name_warning(V15, "v2-full")


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("proj.norm.weight", "bg_encoder.x"), "xlv2"),
    ],
)
def test_a_later_generation_is_recognized_and_refused(names: tuple[str, ...], kind: str) -> None:
    tensor_names = (*COMMON, *names)
    assert next(later.name for later in LATER_KINDS if later.matches(tensor_names)) == kind
    with pytest.raises(LinewashError) as caught:
        detect_version(tensor_names)
    assert caught.value.code is ErrorCode.MODEL_OTHER_FAMILY and kind in caught.value.detail
