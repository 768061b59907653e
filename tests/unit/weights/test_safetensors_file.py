"""Files from outside: what is sound is read as it is, everything else is refused with its own sentence."""

import json
import pickle
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save, save_file

from backend.weights.safetensors_file import MAX_HEADER_BYTES, SafetensorsFile
from shared.errors import ERRORS, ErrorCode, LinewashError

TENSORS = {
    "whole": torch.arange(12, dtype=torch.float32).reshape(3, 4),
    "narrow": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "half": torch.tensor([[0.25]], dtype=torch.float16),
    "one": torch.tensor(7.0),
    "none": torch.empty(0, 3),
    "count": torch.tensor([1, 2**40]),
}
SOUND = save(TENSORS, {"made": "by a test"})


def refused(content: bytes, folder: Path) -> LinewashError:
    path = folder / "some.safetensors"
    path.write_bytes(content)
    with pytest.raises(LinewashError) as caught, SafetensorsFile(path):
        pass
    return caught.value


def with_header(header: Any, data: bytes = b"\0" * 8) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype: Any = "F32", shape: Any = (2,), places: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": places}


def test_a_sound_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "sound.safetensors"
    path.write_bytes(SOUND)
    with SafetensorsFile(path) as file:
        assert file.shapes == {name: tuple(x.shape) for name, x in TENSORS.items()}
        for name, expected in TENSORS.items():
            tensor = file.tensor(name)
            assert tensor.dtype == expected.dtype and torch.equal(tensor, expected)


def test_every_length_that_is_too_short_is_refused(tmp_path: Path) -> None:
    for length in range(len(SOUND)):
        assert refused(SOUND[:length], tmp_path).code is ErrorCode.MODEL_TRUNCATED


def test_a_file_that_is_cut_while_it_is_open_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    save_file({"a": torch.zeros(1000), "b": torch.zeros(1000)}, path)
    with SafetensorsFile(path) as file:
        whole = path.read_bytes()
        with path.open("r+b") as again:
            again.truncate(len(whole) - 1000)
        assert len(file.tensor("a")) == 1000
        with pytest.raises(LinewashError) as caught:
            file.tensor("b")
    assert caught.value.code is ErrorCode.MODEL_TRUNCATED


@pytest.mark.parametrize("zipped", [True, False])
def test_a_renamed_file_of_torch_save_is_refused(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "model.ckpt"
    torch.save(TENSORS, path, _use_new_zipfile_serialization=zipped)
    assert refused(path.read_bytes(), tmp_path).code is ErrorCode.MODEL_PICKLE


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_renamed_pickle_is_refused(tmp_path: Path, protocol: int) -> None:
    assert refused(pickle.dumps({"weights": [1.0] * 9}, protocol), tmp_path).code is ErrorCode.MODEL_PICKLE


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><html>Not found</html>",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00",
        with_header(b"{" + b"\xff" * 20),
        with_header(b'{"a": '),
        with_header(b"{} and more"),
    ],
)
def test_another_kind_of_file_is_refused(tmp_path: Path, content: bytes) -> None:
    assert refused(content, tmp_path).code is ErrorCode.MODEL_UNREADABLE


HOSTILE = {
    "header longer than any model needs": struct.pack("<Q", MAX_HEADER_BYTES + 1) + b"{}",
    "header of 2^64 bytes": b"\xff" * 8 + b"{}",
    "nested without end": with_header(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "a name twice": with_header(b'{"a":%s,"a":%s}' % ((json.dumps(entry()).encode(),) * 2)),
    "a key twice": with_header(b'{"a":{"dtype":"F32","dtype":"F64","shape":[1],"data_offsets":[0,8]}}'),
    "not a description": with_header({"a": [1, 2]}),
    "a key too many": with_header({"a": {**entry(), "code": "x"}}),
    "unknown type": with_header({"a": entry(dtype="F7")}),
    "type that is no name": with_header({"a": entry(dtype=["F32"])}),
    "negative size": with_header({"a": entry(shape=[-2])}),
    "size that is no whole number": with_header({"a": entry(shape=[2.0])}),
    "size that is a truth": with_header({"a": entry(dtype="F64", shape=[True])}),
    "shape that is a number": with_header({"a": entry(shape=2)}),
    "huge and empty": with_header({"a": entry(shape=[2**62, 0], places=[0, 0])}, b""),
    "huge shape": with_header({"a": entry(shape=[2**62, 2**62])}),
    "three offsets": with_header({"a": entry(places=[0, 4, 8])}),
    "offsets backwards": with_header({"a": entry(places=[8, 0])}),
    "negative offset": with_header({"a": entry(places=[-8, 0])}),
    "more bytes than the shape has": with_header({"a": entry(shape=[1])}),
    "overlap": with_header({"a": entry(), "b": entry()}),
    "partial overlap": with_header({"a": entry(), "b": entry(places=[4, 12])}, b"\0" * 12),
    "gap": with_header({"a": entry(places=[4, 12])}, b"\0" * 12),
    "bytes that belong to nothing": with_header({"a": entry()}, b"\0" * 9),
    "more names than a model has": with_header({str(i): entry(shape=[0], places=[0, 0]) for i in range(20_001)}, b""),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_header_that_lies_is_refused(tmp_path: Path, name: str) -> None:
    assert refused(HOSTILE[name], tmp_path).code is ErrorCode.MODEL_HEADER


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_numbers_that_are_none_are_refused(tmp_path: Path, value: float, dtype: torch.dtype) -> None:
    path = tmp_path / "damaged.safetensors"
    save_file({"a": torch.tensor([0.0, value], dtype=dtype), "b": torch.ones(1)}, path)
    with SafetensorsFile(path) as file:
        assert file.tensor("b") == 1
        with pytest.raises(LinewashError) as caught:
            file.tensor("a")
    assert caught.value.code is ErrorCode.MODEL_CORRUPT


@pytest.mark.parametrize("name", ["absent.safetensors", ""])
def test_an_unreadable_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LinewashError) as caught:
        SafetensorsFile(tmp_path / name)
    assert caught.value.code is ErrorCode.MODEL_MISSING


@given(place=st.integers(0, len(SOUND) - 1), value=st.integers(0, 255))
def test_whatever_one_byte_becomes_the_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int
) -> None:
    path = tmp_path_factory.mktemp("byte") / "some.safetensors"
    path.write_bytes(SOUND[:place] + bytes([value]) + SOUND[place + 1 :])
    try:
        with SafetensorsFile(path) as file:
            for name, shape in file.shapes.items():
                assert tuple(file.tensor(name).shape) == shape
    except LinewashError as error:
        assert error.code in ERRORS and error.detail


def test_every_refusal_has_its_own_sentence() -> None:
    codes = [
        ErrorCode.MODEL_TRUNCATED,
        ErrorCode.MODEL_PICKLE,
        ErrorCode.MODEL_UNREADABLE,
        ErrorCode.MODEL_HEADER,
        ErrorCode.MODEL_CORRUPT,
        ErrorCode.MODEL_OTHER_FAMILY,
        ErrorCode.MODEL_KEYS,
    ]
    assert len({ERRORS[code].message for code in codes}) == len(codes)
