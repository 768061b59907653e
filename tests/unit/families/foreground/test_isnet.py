"""ISNet's published weights are read by their names, and get images in the form of their training."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from backend.families.foreground.isnet import (
    SIDE,
    CharacterSegmenter,
    ObjectSegmenter,
    SketchSegmenter,
    dilate_mask,
    load_isnet,
)
from backend.networks.segmentation.isnet import ISNet
from backend.weights.convert import convert
from backend.weights.detection import scan_models
from shared.errors import ErrorCode, LinewashError
from tests.unit.families.foreground.tiny_isnet import TINY, network, tensors, write

PREFIXES = ("", "net.")


class InputRecorder(ISNet):
    """Records its input and returns the brightness of the first channel."""

    def __init__(self) -> None:
        super().__init__(3, 4, TINY)
        self.image = torch.empty(0)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        self.image = image.clone()
        return image[:, :1] * 20 - 10


@pytest.fixture
def recorder() -> InputRecorder:
    return InputRecorder()


def test_the_full_size_has_the_published_names_and_shapes() -> None:
    with torch.device("meta"):
        shapes = {name: tuple(value.shape) for name, value in ISNet().state_dict().items()}
    assert sum(np.prod(s, dtype=int) for n, s in shapes.items() if "running" not in n and "tracked" not in n) == 44_033_537
    assert shapes["stage1.rebnconv7.conv_s1.weight"] == (32, 32, 3, 3)
    assert shapes["stage2.rebnconv5d.conv_s1.weight"] == (32, 64, 3, 3)
    assert shapes["stage4d.rebnconvin.bn_s1.running_var"] == (256,)
    assert shapes["stage1d.rebnconv1d.conv_s1.weight"] == (64, 32, 3, 3)
    assert shapes["side1.weight"] == (1, 64, 3, 3)
    assert {"stage1.rebnconv6d.bn_s1.bias", "stage6.rebnconv4.conv_s1.bias", "conv_in.bias"} <= shapes.keys()
    assert not {"stage1.rebnconv7d.bn_s1.bias", "stage6d.rebnconv4.conv_s1.bias"} & shapes.keys()


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_narrow_file_answers_as_the_network_it_was_saved_from(tmp_path: Path, prefix: str) -> None:
    original = network()
    loaded = load_isnet(write(tmp_path / "isnet.safetensors", original, prefix))
    image = torch.rand(2, 3, 130, 97)
    with torch.inference_mode():
        answer = loaded(image)
        assert torch.equal(answer, original(image))
    assert answer.shape == (2, 1, 130, 97) and answer.std() > 0
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())


def test_sixteen_bits_are_widened(tmp_path: Path) -> None:
    half = {name: value.half() if value.is_floating_point() else value for name, value in tensors(network()).items()}
    save_file(half, tmp_path / "isnet.safetensors")
    assert load_isnet(tmp_path / "isnet.safetensors").conv_in.weight.dtype is torch.float32


def test_a_trainers_pickle_is_converted_and_recognized_by_its_keys(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "state_dict": tensors(network(), "net.")}, tmp_path / "weights.ckpt")
    convert(tmp_path / "weights.ckpt", tmp_path / "weights.safetensors")
    (found,) = scan_models(tmp_path)
    assert (found.kind, found.problem) == ("isnet-characters", "")
    load_isnet(found.path)


@pytest.mark.parametrize(
    ("name", "prefix", "kind"),
    [
        ("isnet-general-use", "", "isnet-things"),
        ("isnetis", "", "isnet-characters"),
        ("My-Anime-Masks", "", "isnet-characters"),
        ("epoch-9", "net.", "isnet-characters"),
        ("sketch_seg", "net.", "isnet-sketches"),
        ("isnet_Sketch", "", "isnet-sketches"),
    ],
)
def test_the_files_name_and_prefix_say_what_it_finds(tmp_path: Path, name: str, prefix: str, kind: str) -> None:
    write(tmp_path / f"{name}.safetensors", network(), prefix)
    assert scan_models(tmp_path)[0].kind == kind


def _without_one(weights: dict[str, torch.Tensor]) -> None:
    del weights["stage3.rebnconv2.bn_s1.running_mean"]


def _with_one_more(weights: dict[str, torch.Tensor]) -> None:
    weights["stage3.rebnconv9.bias"] = torch.zeros(1)


def _of_another_shape(weights: dict[str, torch.Tensor]) -> None:
    weights["stage2d.rebnconv1d.conv_s1.weight"] = torch.zeros(4, 4, 1, 1)


def _with_stages_that_do_not_fit(weights: dict[str, torch.Tensor]) -> None:
    weights["stage4.rebnconvin.conv_s1.weight"] = torch.zeros(8, 7, 3, 3)


def _of_no_width(weights: dict[str, torch.Tensor]) -> None:
    weights["conv_in.weight"] = torch.zeros(0, 3, 3, 3)


def _without_axes(weights: dict[str, torch.Tensor]) -> None:
    weights["stage1.rebnconv1.conv_s1.weight"] = torch.tensor(1.0)


@pytest.mark.parametrize(
    ("spoil", "detail"),
    [
        (_without_one, "stage3.rebnconv2.bn_s1.running_mean"),
        (_with_one_more, "stage3.rebnconv9.bias"),
        (_of_another_shape, "stage2d.rebnconv1d.conv_s1.weight [4, 4, 1, 1]"),
        (_with_stages_that_do_not_fit, "stage4 takes 7"),
        (_of_no_width, "conv_in.weight [0, 3, 3, 3]"),
        (_without_axes, "stage1.rebnconv1.conv_s1.weight []"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, spoil: Callable[[dict[str, torch.Tensor]], None], detail: str) -> None:
    weights = tensors(network())
    spoil(weights)
    save_file(weights, tmp_path / "isnet.safetensors")
    with pytest.raises(LinewashError) as caught:
        load_isnet(tmp_path / "isnet.safetensors")
    assert caught.value.code is ErrorCode.MODEL_KEYS and detail in caught.value.detail


def test_a_drawing_is_shown_in_black_on_white_stretched_to_a_square(recorder: InputRecorder) -> None:
    ink = np.zeros((300, 500), np.uint8)
    ink[:, 100:200] = 255
    mask = SketchSegmenter(recorder)(ink)
    assert recorder.image.shape == (1, 3, SIDE, SIDE)
    assert recorder.image[0, :, 500, 300].tolist() == pytest.approx([-1] * 3)
    assert recorder.image[0, :, 500, 800].tolist() == pytest.approx([1] * 3)
    expected = F.interpolate(
        torch.from_numpy(1 - ink / np.float32(127.5))[None, None], size=(SIDE, SIDE), mode="bicubic", align_corners=False
    )
    assert torch.allclose(recorder.image[:, :1], expected)
    assert mask.shape == ink.shape and (mask[:, 105:195] == 0).all() and (mask[:, 210:] == 255).all(), "no dilation"


def test_a_reference_is_shown_unnegated_in_the_middle_of_black_and_its_mask_grows(recorder: InputRecorder) -> None:
    rgb = np.full((256, 512, 3), 26, np.uint8)
    rgb[100:150, 200:300] = 255
    mask = CharacterSegmenter(recorder)(rgb)
    assert not recorder.image[..., :256, :].any() and not recorder.image[..., 768:, :].any()
    assert recorder.image[0, :, 500, 500].tolist() == pytest.approx([1] * 3)
    assert recorder.image[0, 0, 300, 30].item() == pytest.approx(26 / 255)
    assert mask.shape == (256, 512)
    assert (mask[98:152, 198:302] == 255).all(), "grown by half of 11 pixels at half of 1024"
    assert not (mask[:94] > 40).any() and not (mask[:, 306:] > 40).any()


def test_things_are_shown_around_zero_and_their_mask_is_stretched(recorder: InputRecorder) -> None:
    rgb = np.full((200, 400, 3), 100, np.uint8)
    rgb[50:150, 100:300] = 140
    mask = ObjectSegmenter(recorder)(rgb)
    assert recorder.image.shape == (1, 3, SIDE, SIDE)
    assert recorder.image[0, 0, 5, 5].item() == pytest.approx(100 / 255 - 0.5)
    assert mask[100, 200] == 255 and mask[5, 5] == 0


@pytest.mark.parametrize(("side", "reach"), [(1024, 5), (512, 2), (2048, 10), (64, 0)])
def test_growth_is_in_proportion(side: int, reach: int) -> None:
    mask = np.zeros((side, side), np.uint8)
    mask[side // 2, side // 2] = 255
    assert (dilate_mask(mask) > 0).sum() == (2 * reach + 1) ** 2
