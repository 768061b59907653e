"""Pickles become safetensors, and nothing in them runs."""

import os
import pickle
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from backend.weights.convert import convert
from shared.errors import ErrorCode, LinewashError

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.ones(3, dtype=torch.float16)}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("nested", [True, False])
def test_a_pickle_becomes_a_safe_file(tmp_path: Path, zipped: bool, nested: bool) -> None:
    source, target = tmp_path / "model.ckpt", tmp_path / "model.safetensors"
    content = {"state_dict": {**TENSORS, "note": "x"}, "epoch": 3, "global_step": 7} if nested else TENSORS
    torch.save(content, source, _use_new_zipfile_serialization=zipped)
    assert convert(source, target) == len(TENSORS)
    tensors = load_file(target)
    assert tensors.keys() == TENSORS.keys() and all(torch.equal(tensors[name], x) for name, x in TENSORS.items())
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["model.ckpt", "model.safetensors"]


def test_tensors_that_share_memory_are_written_each(tmp_path: Path) -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    content = {"whole": whole, "again": whole, "row": whole[1], "turned": whole.t()}
    torch.save(content, tmp_path / "m.pt")
    convert(tmp_path / "m.pt", tmp_path / "m.safetensors")
    tensors = load_file(tmp_path / "m.safetensors")
    assert all(torch.equal(tensors[name], x) for name, x in content.items())


class Evil:
    """Would make a folder if it were unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_something_is_refused_and_runs_nothing(tmp_path: Path, zipped: bool) -> None:
    source, mark = tmp_path / "evil.ckpt", tmp_path / "ran"
    torch.save({**TENSORS, "callbacks": Evil(mark)}, source, _use_new_zipfile_serialization=zipped)
    with pytest.raises(LinewashError) as caught:
        convert(source, tmp_path / "evil.safetensors")
    assert caught.value.code is ErrorCode.MODEL_UNSAFE
    assert not mark.exists() and [path.name for path in tmp_path.iterdir()] == ["evil.ckpt"]
    torch.load(source, weights_only=False)
    assert mark.is_dir()  # the trap was a real one


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and nothing", b"\x80\x02", b"text", b"{}" * 30])
def test_another_kind_of_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.ckpt").write_bytes(content)
    with pytest.raises(LinewashError) as caught:
        convert(tmp_path / "m.ckpt", tmp_path / "m.safetensors")
    assert caught.value.code in (ErrorCode.MODEL_UNREADABLE, ErrorCode.MODEL_UNSAFE)
    assert not (tmp_path / "m.safetensors").exists()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_is_cut_short_or_damaged_is_refused(tmp_path: Path, zipped: bool) -> None:
    source = tmp_path / "m.pth"
    torch.save({"diffusion_state_dict": TENSORS, "epoch": 3}, source, _use_new_zipfile_serialization=zipped)
    whole = source.read_bytes()
    rng = random.Random(0)
    damaged = [whole[: len(whole) * n // 60] for n in range(60)]
    for _ in range(200):
        bytes_ = bytearray(whole)
        for _ in range(rng.choice((1, 4))):
            bytes_[rng.randrange(len(whole))] = rng.randrange(256)
        damaged.append(bytes(bytes_))
    codes = dict.fromkeys(("sound", ErrorCode.MODEL_UNREADABLE, ErrorCode.MODEL_UNSAFE), 0)
    for content in damaged:
        source.write_bytes(content)
        try:
            convert(source, tmp_path / "m.safetensors")
            codes["sound"] += 1  # a byte that is only a number
        except LinewashError as error:
            codes[error.code] += 1
    assert codes[ErrorCode.MODEL_UNREADABLE] > 60 and sum(codes.values()) == len(damaged)


@pytest.mark.parametrize("content", [{}, {"state_dict": {}}, [torch.ones(1)], {"epoch": 1}])
def test_a_pickle_without_tensors_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "m.ckpt")
    with pytest.raises(LinewashError) as caught:
        convert(tmp_path / "m.ckpt", tmp_path / "m.safetensors")
    assert caught.value.code is ErrorCode.MODEL_UNREADABLE


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LinewashError) as caught:
        convert(tmp_path / "absent.ckpt", tmp_path / "m.safetensors")
    assert caught.value.code is ErrorCode.MODEL_MISSING


def test_a_plain_pickle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.ckpt").write_bytes(pickle.dumps({"a": 1}, 2))
    with pytest.raises(LinewashError) as caught:
        convert(tmp_path / "m.ckpt", tmp_path / "m.safetensors")
    assert caught.value.code in (ErrorCode.MODEL_UNREADABLE, ErrorCode.MODEL_UNSAFE)


def test_an_unwritable_folder_is_reported(tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "m.ckpt")
    with pytest.raises(LinewashError) as caught:
        convert(tmp_path / "m.ckpt", tmp_path / "absent" / "m.safetensors")
    assert caught.value.code is ErrorCode.DISK_FULL
