"""BiRefNet's published weights are read by their names, and get images in the form of their training."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from backend.families.foreground.birefnet import (
    SIDE,
    BiRefNetSegmenter,
    SidecarOptions,
    load_birefnet,
    load_segmenter,
    read_sidecar,
)
from backend.families.foreground.selector import SegmenterSelector
from backend.networks.segmentation.birefnet import BiRefNet
from backend.weights.detection import scan_models
from shared.errors import ErrorCode, LinewashError
from tests.unit.families.foreground.test_selector import IMAGE, Shipped, by_shipped
from tests.unit.families.foreground.tiny_birefnet import TINY, network, tensors, unused, write

PREFIXES = ("", "module.", "_orig_mod.")
RNG = np.random.default_rng(4)
NOISE = RNG.integers(0, 256, (50, 70, 3), dtype=np.uint8)


class InputRecorder(BiRefNet):
    """Records its input and returns the brightness of the first channel."""

    def __init__(self) -> None:
        super().__init__(TINY)
        self.image = torch.empty(0)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        self.image = image.clone()
        return image[:, :1] * 20


def small(path: Path, **more: object) -> Path:
    """The file's description, with a square of 64 pixels."""
    path.with_suffix(".json").write_text(json.dumps({"side": 64, **more}))
    return path


@pytest.mark.parametrize(("floats", "length"), [(torch.float32, 884_878_856), (torch.float16, 444_473_596)])
def test_names_and_shapes_make_a_file_as_long_as_the_published_ones(floats: torch.dtype, length: int) -> None:
    with torch.device("meta"):
        original = BiRefNet()
    weights = {**original.state_dict(), **unused(original)}
    parameters = sum(p.numel() for p in original.parameters()) + sum(
        v.numel() for n, v in unused(original).items() if "decoder" in n
    )
    assert parameters == 220_176_498, "as published"
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, value in sorted(weights.items(), key=lambda item: (item[1].is_floating_point(), item[0])):
        dtype = floats if value.is_floating_point() else value.dtype
        begin, end = end, end + value.numel() * dtype.itemsize
        kind = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64"}[dtype]
        header[name] = {"dtype": kind, "shape": list(value.shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":"))
    assert 8 + -(-len(text) // 8) * 8 + end == length


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_narrow_file_answers_as_the_network_it_was_saved_from(tmp_path: Path, prefix: str) -> None:
    original = network()
    loaded = load_birefnet(write(tmp_path / "birefnet.safetensors", original, prefix))
    image = torch.rand(2, 3, 64, 96)
    with torch.inference_mode():
        answer = loaded(image)
        assert torch.equal(answer, original(image))
    assert answer.shape == (2, 1, 64, 96) and answer.std() > 0
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())
    assert [found.kind for found in scan_models(tmp_path)] == ["birefnet"]


def test_sixteen_bits_are_widened(tmp_path: Path) -> None:
    half = {name: value.half() if value.is_floating_point() else value for name, value in tensors(network()).items()}
    save_file(half, tmp_path / "birefnet.safetensors")
    assert load_birefnet(tmp_path / "birefnet.safetensors").bb.patch_embed.proj.weight.dtype is torch.float32


def _without_one(weights: dict[str, torch.Tensor]) -> None:
    del weights["decoder.gdt_convs_3.1.running_mean"]


def _with_one_more(weights: dict[str, torch.Tensor]) -> None:
    weights["decoder.gdt_convs_3.7.bias"] = torch.zeros(1)


def _of_another_shape(weights: dict[str, torch.Tensor]) -> None:
    weights["decoder.lateral_block2.conv.weight"] = torch.zeros(8, 9, 1, 1)


def _with_heads_that_do_not_divide(weights: dict[str, torch.Tensor]) -> None:
    weights["bb.layers.1.blocks.0.attn.relative_position_bias_table"] = torch.zeros(25, 3)


def _with_an_even_kernel(weights: dict[str, torch.Tensor]) -> None:
    weights["decoder.decoder_block2.dec_att.aspp_deforms.1.atrous_conv.regular_conv.weight"] = torch.zeros(4, 3, 2, 2)


def _of_no_width(weights: dict[str, torch.Tensor]) -> None:
    weights["bb.patch_embed.proj.weight"] = torch.zeros(0, 3, 4, 4)


@pytest.mark.parametrize(
    ("spoil", "detail"),
    [
        (_without_one, "decoder.gdt_convs_3.1.running_mean"),
        (_with_one_more, "decoder.gdt_convs_3.7.bias"),
        (_of_another_shape, "decoder.lateral_block2.conv.weight [8, 9, 1, 1]"),
        (_with_heads_that_do_not_divide, "3 heads do not divide 8"),
        (_with_an_even_kernel, "2 pixels has no middle"),
        (_of_no_width, "bb.patch_embed.proj.weight [0, 3, 4, 4]"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, spoil: Callable[[dict[str, torch.Tensor]], None], detail: str) -> None:
    weights = tensors(network())
    spoil(weights)
    save_file(weights, tmp_path / "birefnet.safetensors")
    with pytest.raises(LinewashError) as caught:
        load_birefnet(tmp_path / "birefnet.safetensors")
    assert caught.value.code is ErrorCode.MODEL_KEYS and detail in caught.value.detail


def test_a_mask_is_as_large_as_the_image_and_always_the_same(tmp_path: Path) -> None:
    path = small(write(tmp_path / "rmbg-2.0.safetensors", network()))
    mask = load_segmenter(path)(NOISE)
    assert mask.shape == NOISE.shape[:2] and mask.dtype == np.uint8 and mask.min() < mask.max()
    assert np.array_equal(load_segmenter(path)(NOISE), mask)


def test_the_order_of_patches_stands_in_the_description(tmp_path: Path) -> None:
    path = small(write(tmp_path / "birefnet.safetensors", network()))
    columns = load_segmenter(path)(NOISE)
    channels = load_segmenter(small(path, patch_order="channels"))(NOISE)
    assert not np.array_equal(channels, columns)
    assert np.array_equal(channels, BiRefNetSegmenter(network(order="channels"), 64)(NOISE))


def test_an_image_is_shown_stretched_and_normalized_and_its_mask_grows() -> None:
    recorder = InputRecorder()
    rgb = np.full((256, 512, 3), 20, np.uint8)
    rgb[100:150, 200:300] = 255
    mask = BiRefNetSegmenter(recorder, SIDE)(rgb)
    assert recorder.image.shape == (1, 3, 1024, 1024)
    for channel, (mean, deviation) in enumerate(((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))):
        assert recorder.image[0, channel, 500, 500].item() == pytest.approx((1 - mean) / deviation)
        assert recorder.image[0, channel, 20, 20].item() == pytest.approx((20 / 255 - mean) / deviation)
    assert mask.shape == (256, 512)
    assert (mask[99:151, 199:301] == 255).all() and (mask[98:152, 198:302] > 200).all(), (
        "grown by half of 11 pixels at half of 1024"
    )
    assert not (mask[:94] > 40).any() and not (mask[:, 306:] > 40).any()


def test_without_a_description_it_is_rmbgs(tmp_path: Path) -> None:
    assert read_sidecar(tmp_path / "rmbg.safetensors") == SidecarOptions("columns", 1024)


@pytest.mark.parametrize(
    "text",
    [
        '{"side": 1000}',
        '{"side": 0}',
        '{"side": true}',
        '{"side": 8192}',
        '{"patch_order": "rows"}',
        '{"patch_order": ["columns"]}',
        '{"more": 1}',
        "[]",
        "{",
    ],
)
def test_a_wrong_description_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "birefnet.json").write_text(text)
    with pytest.raises(LinewashError) as caught:
        read_sidecar(tmp_path / "birefnet.safetensors")
    assert caught.value.code is ErrorCode.MODEL_KEYS and "birefnet.json" in caught.value.detail


def test_it_finds_references_and_is_read_anew_when_its_description_changes(tmp_path: Path) -> None:
    masks = SegmenterSelector(Shipped(), tmp_path)
    path = small(write(tmp_path / "birefnet.safetensors", network()))
    assert by_shipped(masks) == (True, False) and masks.mask_warnings == ()
    found = masks.segment_reference(IMAGE)
    small(path, patch_order="none")
    assert by_shipped(masks) == (True, True) and len(masks.mask_warnings) == 1
    small(path, patch_order="columns")
    assert np.array_equal(masks.segment_reference(IMAGE), found) and masks.mask_warnings == ()


@pytest.mark.parametrize("name", ["BiRefNet-general", "RMBG-2.0"])
def test_a_broken_one_is_recognized_by_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.safetensors").write_bytes(b"\x80\x04 pickled")
    (found,) = scan_models(tmp_path)
    assert found.kind == "birefnet" and "pickle" in found.problem


@pytest.mark.parametrize("side", [32, 4096])
def test_the_smallest_and_the_largest_side_are_allowed(tmp_path: Path, side: int) -> None:
    (tmp_path / "birefnet.json").write_text(json.dumps({"side": side}))
    assert read_sidecar(tmp_path / "birefnet.safetensors").side == side


@pytest.mark.parametrize("side", [16, 4096 + 32])
def test_beyond_them_no_side_is_allowed(tmp_path: Path, side: int) -> None:
    (tmp_path / "birefnet.json").write_text(json.dumps({"side": side}))
    with pytest.raises(LinewashError):
        read_sidecar(tmp_path / "birefnet.safetensors")
