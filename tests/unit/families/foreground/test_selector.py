"""Installed weights find the foreground, in every family; what is missing or broken leaves that to the shipped ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from backend.contract.drawing import Inputs
from backend.families import registry
from backend.families.foreground.selector import SegmenterSelector
from backend.imaging.types import Gray, Rgb
from backend.networks.segmentation.isnet import ISNet
from backend.pipeline.prepare import prepare
from shared.errors import ErrorCode, LinewashError
from shared.protocol import ColorizeRequest, ReferenceRole
from tests.unit.families.foreground.tiny_isnet import network, tensors, write

INK = np.zeros((90, 120), np.uint8)
IMAGE = np.full((90, 120, 3), 200, np.uint8)
IMAGE.setflags(write=False)  # as images from files are
SHIPPED = 77


class Shipped:
    """Finds the same everywhere."""

    mask_warnings: tuple[str, ...] = ()

    def segment_drawing(self, ink: Gray) -> Gray:
        return np.full(ink.shape, SHIPPED, np.uint8)

    def segment_reference(self, rgb: Rgb) -> Gray:
        return np.full(rgb.shape[:2], SHIPPED, np.uint8)


@pytest.fixture
def masks(tmp_path: Path) -> SegmenterSelector:
    return SegmenterSelector(Shipped(), tmp_path)


def by_shipped(masks: Any) -> tuple[bool, bool]:
    """Whether the shipped finder answers for drawings and for references."""
    found = masks.segment_drawing(INK), masks.segment_reference(IMAGE)
    assert all(mask.shape == INK.shape and mask.dtype == np.uint8 for mask in found)
    drawing, reference = (bool((mask == SHIPPED).all()) for mask in found)
    return drawing, reference


def broken(path: Path, name: str) -> Path:
    """A file without one of its tensors."""
    weights = tensors(network())
    del weights[name]
    save_file(weights, path)
    return path


def test_without_any_the_shipped_one_answers(masks: SegmenterSelector) -> None:
    assert by_shipped(masks) == (True, True) and masks.mask_warnings == ()


def test_weights_answer_for_what_they_are_for_from_the_moment_they_are_there(masks: SegmenterSelector, tmp_path: Path) -> None:
    assert by_shipped(masks) == (True, True)
    write(tmp_path / "isnetis.safetensors", network(), "net.")
    assert by_shipped(masks) == (True, False)
    sketch = write(tmp_path / "masks" / "sketch.safetensors", network())
    assert by_shipped(masks) == (False, False)
    sketch.unlink()
    assert by_shipped(masks) == (True, False) and masks.mask_warnings == ()


def test_they_are_loaded_once_and_again_when_the_file_changes(masks: SegmenterSelector, tmp_path: Path, monkeypatch) -> None:
    from backend.families.foreground import selector

    loaded: list[Path] = []

    def counting(path: Path, device: str) -> Any:
        loaded.append(path)
        return real(path, device)

    real = selector.load_isnet
    monkeypatch.setattr(selector, "load_isnet", counting)
    path = write(tmp_path / "isnetis.safetensors", network(0), "net.")
    first = masks.segment_reference(IMAGE)
    masks.segment_reference(IMAGE)
    assert loaded == [path]
    path.unlink()
    masks.segment_reference(IMAGE)
    write(path, network(5), "net.")
    assert not np.array_equal(masks.segment_reference(IMAGE), first) and len(loaded) == 2


@pytest.mark.parametrize("how", ["a tensor is missing", "cut short", "a pickle"])
def test_a_broken_file_is_passed_over_with_a_warning_until_it_is_repaired(
    masks: SegmenterSelector, tmp_path: Path, how: str
) -> None:
    path = tmp_path / "isnet-sketch.safetensors"
    if how == "a tensor is missing":
        broken(path, "stage5.rebnconv3.conv_s1.weight")
    elif how == "cut short":
        path.write_bytes(write(path, network()).read_bytes()[:-100])
    else:
        path.write_bytes(b"\x80\x04 pickled")
    assert by_shipped(masks) == (True, True)
    (warning,) = masks.mask_warnings
    assert warning.startswith("isnet-sketch.safetensors was not used to find the foreground. ") and warning.endswith(".")
    write(path, network())
    assert by_shipped(masks) == (False, True) and masks.mask_warnings == ()


def test_the_same_image_is_segmented_once(masks: SegmenterSelector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    real = ISNet.forward

    def counting(self: ISNet, image: torch.Tensor) -> torch.Tensor:
        looked.append(1)
        return real(self, image)

    monkeypatch.setattr(ISNet, "forward", counting)
    write(tmp_path / "isnetis.safetensors", network(), "net.")
    first = masks.segment_reference(IMAGE)
    assert np.array_equal(masks.segment_reference(IMAGE.copy()), first) and len(looked) == 1
    masks.segment_reference(IMAGE // 2)
    assert len(looked) == 2


def test_a_sound_file_answers_beside_a_broken_one(masks: SegmenterSelector, tmp_path: Path) -> None:
    broken(tmp_path / "a-sketch.safetensors", "side1.bias")
    write(tmp_path / "b-sketch.safetensors", network())
    assert by_shipped(masks) == (False, True) and len(masks.mask_warnings) == 1


def drawing(model: str) -> Inputs:
    """A ring, and an opaque reference."""
    lines = np.zeros((128, 128, 4), np.uint8)
    lines[30:100, 30:33] = lines[30:100, 97:100] = lines[30:33, 30:100] = lines[97:100, 30:100] = (0, 0, 0, 255)
    reference = np.full((64, 64, 4), 255, np.uint8)
    reference[20:40, 20:40, :3] = 90
    return Inputs(ColorizeRequest(128, 128, (ReferenceRole.BOTH,), model=model), lines, (reference,), None)


def test_mini_takes_them_too_and_the_painter_reads_of_a_broken_one(tmp_path: Path) -> None:
    family = registry.load("mini", tmp_path)
    own = prepare(drawing("mini"), family)
    assert own.warnings == ()
    broken(tmp_path / "isnetis.safetensors", "conv_in.bias")
    warned = prepare(drawing("mini"), family)
    assert len(warned.warnings) == 1 and "isnetis.safetensors" in warned.warnings[0]
    assert np.array_equal(warned.references[0].mask, own.references[0].mask)
    write(tmp_path / "isnetis.safetensors", network(), "net.")
    found = prepare(drawing("mini"), family)
    assert found.warnings == () and not np.array_equal(found.references[0].mask, own.references[0].mask)
    assert np.array_equal(found.mask, own.mask), "drawings are still mini's"


def test_a_family_without_a_segmenter_of_its_own_takes_them_before_minis(tmp_path: Path) -> None:
    segmenter = registry.foreground_segmenter(tmp_path)
    drawing, reference = segmenter.segment_drawing(INK + 40), segmenter.segment_reference(IMAGE)
    write(tmp_path / "isnet-sketch.safetensors", network())
    assert not np.array_equal(segmenter.segment_drawing(INK + 40), drawing)
    assert np.array_equal(segmenter.segment_reference(IMAGE), reference)


def test_masks_that_are_given_need_no_warning(tmp_path: Path) -> None:
    broken(tmp_path / "isnet-sketch.safetensors", "conv_in.bias")
    family = registry.load("mini", tmp_path)
    family.segment_drawing(INK)
    given = drawing("mini")
    clear = given.references[0].copy()
    clear[:20, :, 3] = 0
    mask = np.full((128, 128), 255, np.uint8)
    assert prepare(Inputs(given.request, given.lines, (clear,), mask), family).warnings == ()


def test_mask_weights_are_no_models(tmp_path: Path) -> None:
    write(tmp_path / "isnetis.safetensors", network(), "net.")
    (tmp_path / "isnet-sketch.safetensors").write_bytes(b"\x80\x04 pickled")
    assert [row.name for row in registry.models(tmp_path)] == ["mini"]
    with pytest.raises(LinewashError) as caught:
        registry.load("isnetis", tmp_path)
    assert caught.value.code is ErrorCode.UNKNOWN_MODEL
