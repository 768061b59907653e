"""Checkpoints for a test, built from the golden ones, and full-size ones built from names alone."""

import gzip
import json
import math
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from backend.families.colorizediffusion.checkpoint.key_mapping import CLIP_PREFIX
from backend.families.colorizediffusion.checkpoint.loader import load_parts
from shared.errors import LinewashError
from tests.parity.golden import golden

MANIFESTS = Path(__file__).resolve().parent.parent / "golden"
FULL_SIZE = {"v1": "mult", "v1.5": "switch", "v2": "v2"}
CLIP_FULL_SIZE = "openclip_vit_h_14"
Shapes = dict[str, tuple[int, ...]]


def manifest(name: str) -> Shapes:
    """Name -> shape of a full-size file."""
    text = gzip.decompress((MANIFESTS / f"manifest_{name}.json.gz").read_bytes())
    return {key: tuple(shape) for key, (shape, _) in json.loads(text).items()}


def copy_of(version: str, folder: Path, change: Callable[[dict[str, Tensor]], object] = lambda tensors: None) -> Path:
    """The golden checkpoint with its configuration, after ``change`` to its tensors."""
    source = golden(version).sd
    path = folder / source.name
    tensors = load_file(source)
    change(tensors)
    save_file(tensors, path)
    if source.with_suffix(".json").is_file():
        path.with_suffix(".json").write_bytes(source.with_suffix(".json").read_bytes())
    return path


def without_clip(tensors: dict[str, Tensor]) -> None:
    """Take CLIP out, as in the published files."""
    for name in [name for name in tensors if name.startswith(CLIP_PREFIX)]:
        del tensors[name]


def clip_alone(version: str, folder: Path, rename: Callable[[str], str]) -> Path:
    """CLIP of a golden checkpoint in a file of its own."""
    source = golden(version).sd
    tensors = {rename(name): x for name, x in load_file(source).items() if name.startswith(CLIP_PREFIX)}
    path = folder / "clip.safetensors"
    save_file(tensors, path)
    path.with_suffix(".json").write_bytes(source.with_suffix(".json").read_bytes())
    return path


def sparse(path: Path, shapes: Mapping[str, tuple[int, ...]], half: str = "first_stage_model.") -> int:
    """Write a file of zeros, float32 but ``half``* in float16, that takes no room on the disk; return its bytes."""
    header: dict[str, object] = {}
    end = 0
    for name, shape in shapes.items():
        dtype = torch.float16 if name.startswith(half) else torch.float32
        begin, end = end, end + math.prod(shape) * dtype.itemsize
        kind = "F16" if dtype is torch.float16 else "F32"
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)
    return 8 + len(text) + end


def refused(path: Path, clip: Path | None = None) -> LinewashError:
    """The error with which the product refuses a checkpoint."""
    with pytest.raises(LinewashError) as caught:
        load_parts(path, {} if clip is None else {"clip-vit-h-14": clip})
    return caught.value
