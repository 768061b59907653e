"""Model files that are missing, damaged or of another shape."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from backend.families.registry import load, models
from backend.weights.shipped_model import CHECKSUMS, CONFIG, SHIPPED_MODELS, write_checksums
from shared.errors import ErrorCode, LinewashError

PARTS = ("flats", "painted", "foreground")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A copy of the shipped model where the user's models are."""
    shutil.copytree(SHIPPED_MODELS / "mini", tmp_path / "mini")
    return tmp_path


def _code(models_dir: Path, name: str = "mini") -> ErrorCode:
    with pytest.raises(LinewashError) as caught:
        load(name, models_dir)
    return caught.value.code


def test_own_model_goes_before_the_shipped_one(own: Path) -> None:
    (own / "mini" / "flats.safetensors").unlink()
    assert _code(own) == ErrorCode.MODEL_MISSING
    (row,) = models(own)
    assert not row.ready and "flats.safetensors" in row.reason


def test_missing_sums(own: Path) -> None:
    (own / "mini" / CHECKSUMS).unlink()
    assert _code(own) == ErrorCode.MODEL_MISSING
    assert not models(own)[0].ready


@pytest.mark.parametrize("name", [f"{p}.safetensors" for p in PARTS] + [CONFIG])
def test_one_flipped_bit(own: Path, name: str) -> None:
    path = own / "mini" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    assert _code(own) == ErrorCode.MODEL_CORRUPT


def test_truncated_file_with_a_matching_digest(own: Path) -> None:
    path = own / "mini" / "painted.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    write_checksums(own / "mini", [*(f"{p}.safetensors" for p in PARTS), CONFIG])
    assert _code(own) == ErrorCode.MODEL_CORRUPT


def test_tensor_of_another_shape(own: Path) -> None:
    path = own / "mini" / "foreground.safetensors"
    tensors = load_file(path)
    tensors["out.bias"] = torch.zeros(3)
    save_file(tensors, path)
    write_checksums(own / "mini", [*(f"{p}.safetensors" for p in PARTS), CONFIG])
    assert _code(own) == ErrorCode.MODEL_CORRUPT


def test_unknown_names_and_paths(tmp_path: Path) -> None:
    assert _code(tmp_path, "maxi") == ErrorCode.UNKNOWN_MODEL
    assert _code(tmp_path, "../mini") == ErrorCode.UNKNOWN_MODEL


def test_shipped_weights_are_small() -> None:
    assert sum(f.stat().st_size for f in (SHIPPED_MODELS / "mini").glob("*.safetensors")) <= 40_000_000
