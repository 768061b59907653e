"""AnimeDiffusion's checkpoints: names and shapes both ways at full size, older files through convert, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from backend.families.animediffusion import key_mapping
from backend.families.animediffusion.loader import build_unet, load_unet
from backend.weights.convert import convert
from backend.weights.state_dict import diff_keys
from shared.errors import ErrorCode, LinewashError
from tests.parity.files import copy_of, manifest
from tests.parity.golden import ANIME, golden


def test_full_size_names_and_shapes_agree_both_ways() -> None:
    shapes = manifest(ANIME)
    with torch.device("meta"):
        network = build_unet(shapes)
    assert diff_keys([(network, key_mapping.unet_source)], shapes) == ([], sorted(key_mapping.SCHEDULE_BUFFERS), [])
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(52.3, abs=0.1)


def test_the_loaded_network_is_frozen_and_whole() -> None:
    network = load_unet(golden(ANIME).sd)
    assert not network.training
    stored = load_file(golden(ANIME).sd)
    for key, weight in network.state_dict().items():
        assert weight.dtype == torch.float32 and torch.equal(weight, stored[key_mapping.unet_source(key).name])
    assert not any(weight.requires_grad for weight in network.parameters())


@pytest.mark.parametrize("nested", ["", "state_dict", "diffusion_state_dict"])
def test_pickled_files_of_every_layout_are_converted(nested: str, tmp_path: Path) -> None:
    tensors = load_file(golden(ANIME).sd)
    older = {nested: tensors, "optimizer": {"state": {0: {"step": torch.ones(1)}}}, "ema_shadow": {}, "epoch": 3}
    torch.save(older if nested else tensors, tmp_path / "ADF.pth")
    assert convert(tmp_path / "ADF.pth", tmp_path / "ADF.safetensors") == len(tensors) == 257
    found = load_unet(tmp_path / "ADF.safetensors").state_dict()
    assert all(torch.equal(found[key], weight) for key, weight in load_unet(golden(ANIME).sd).state_dict().items())


FIRST = "denoise_fn.encoder_block.0.conv1.2.weight"
CHANGES: dict[str, tuple[Callable[[dict[str, Tensor]], object], str]] = {
    "missing weight": (lambda x: x.pop("denoise_fn.input.0.bias"), "1 missing: denoise_fn.input.0.bias"),
    "missing width": (lambda x: x.pop(FIRST), FIRST),
    "unexpected": (lambda x: x.update({"denoise_fn.cbam.0": torch.ones(1)}), "1 unexpected: denoise_fn.cbam.0"),
    "another shape": (lambda x: x.update({"denoise_fn.output.0.bias": torch.ones(7)}), "denoise_fn.output.0.bias [7]"),
    "impossible width": (lambda x: x.update({FIRST: torch.ones(30, 32, 3, 3)}), "divisible"),
    "no width": (lambda x: x.update({FIRST: torch.empty(0, 32, 3, 3)}), FIRST),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_does_not_fit_is_named(name: str, tmp_path: Path) -> None:
    change, detail = CHANGES[name]
    with pytest.raises(LinewashError) as caught:
        load_unet(copy_of(ANIME, tmp_path, change))
    assert caught.value.code is ErrorCode.MODEL_KEYS and detail in caught.value.detail


def test_the_schedule_may_be_absent_but_not_the_network(tmp_path: Path) -> None:
    def without(start: tuple[str, ...]) -> Callable[[dict[str, Tensor]], object]:
        return lambda tensors: [tensors.pop(name) for name in list(tensors) if name.startswith(start)]

    load_unet(copy_of(ANIME, tmp_path, without(key_mapping.SCHEDULE_BUFFERS)))
    with pytest.raises(LinewashError) as caught:
        load_unet(copy_of(ANIME, tmp_path, without((key_mapping.UNET_PREFIX,))))
    assert caught.value.code is ErrorCode.MODEL_OTHER_FAMILY


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    path = copy_of(ANIME, tmp_path, lambda x: x["denoise_fn.output.2.bias"].fill_(float("nan")))
    with pytest.raises(LinewashError) as caught:
        load_unet(path)
    assert caught.value.code is ErrorCode.MODEL_CORRUPT
