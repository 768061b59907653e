"""Compares a checkpoint with networks by the names and shapes of tensors, and loads it into them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from backend.weights.safetensors_file import SafetensorsFile
from shared.errors import ErrorCode, LinewashError


def identity(x: Tensor) -> Tensor:
    """The tensor unchanged."""
    return x


@dataclass(frozen=True)
class WeightSource:
    """Where a tensor of a module comes from."""

    name: str
    """Name of the tensor in the file."""
    transform: Callable[[Tensor], Tensor] = identity
    """Turns the file's tensor into the module's."""


KeyMap = Callable[[str], WeightSource]
"""Key of a module's state dict -> its source."""


def replace_prefix(names: Mapping[str, str], inner: str) -> str:
    """``inner`` with its longest prefix that is a key of ``names`` replaced by the value; prefixes end at a dot."""
    prefix = max((old for old in names if inner == old or inner.startswith(old + ".")), key=len, default=None)
    return inner if prefix is None else names[prefix] + inner[len(prefix) :]


MappedNetwork = tuple[nn.Module, KeyMap]
"""A network, and the key map from its state dict to a file."""
Shapes = Mapping[str, tuple[int, ...]]
"""Name of a tensor in the file -> shape."""
Network = TypeVar("Network")
MAX_LISTED_NAMES = 12
"""Largest number of names that an error lists for each problem."""
MAX_SIDECAR_BYTES = 65_536
"""Largest number of bytes read of a sidecar file; real ones have about a hundred."""


def axis_length(shapes: Shapes, name: str, axis: int = 0) -> int:
    """The length of a tensor's axis.

    Raises LinewashError MODEL_KEYS when there is no such tensor or axis, or its length is 0.
    """
    shape = shapes.get(name)
    if shape is None:
        raise LinewashError(ErrorCode.MODEL_KEYS, f"missing {name}")
    if len(shape) <= axis or shape[axis] == 0:
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{name} {list(shape)}")
    return shape[axis]


def count_children(shapes: Shapes, prefix: str) -> int:
    """The number of distinct numbers that follow ``prefix`` in the names, as ``0`` in ``prefix0.weight``."""
    numbers = (name[len(prefix) :].split(".", 1)[0] for name in shapes if name.startswith(prefix))
    return len({number for number in numbers if number.isdecimal()})


def read_sidecar_json(checkpoint: Path) -> dict[str, Any]:
    """The JSON object beside a checkpoint (``NAME.json`` for ``NAME.safetensors``); {} when there is no such file.

    Raises LinewashError MODEL_KEYS when the file is not a JSON object or cannot be read.
    """
    path = checkpoint.with_suffix(".json")
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            value: Any = json.loads(file.read(MAX_SIDECAR_BYTES))
    except (ValueError, OSError, RecursionError) as error:  # RecursionError: nested too deeply
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{path.name}: {error}") from error
    if not isinstance(value, dict):
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{path.name}: not an object")
    return cast(dict[str, Any], value)


def build_on_meta(build: Callable[[], Network]) -> Network:
    """Call ``build`` with the meta device as default, so that weights take no memory.

    Raises LinewashError MODEL_KEYS when no network can have such shapes.
    """
    try:
        with torch.device("meta"):
            return build()
    except (ValueError, RuntimeError, ArithmeticError, IndexError, TypeError, AssertionError) as error:
        # impossible shapes: torch, diffusers and transformers raise different exceptions
        raise LinewashError(ErrorCode.MODEL_KEYS, str(error)) from error


def diff_keys(networks: Iterable[MappedNetwork], shapes: Shapes) -> tuple[list[str], list[str], list[str]]:
    """Compare networks, on any device, with the tensors of a file.

    Returns three sorted lists: names that ``shapes`` lacks, names that no network uses, and ``NAME SHAPE`` of tensors whose
    shape does not fit.
    """
    used: set[str] = set()
    missing: list[str] = []
    mismatched: list[str] = []
    for network, key_map in networks:
        for key, weight in network.state_dict().items():
            source = key_map(key)
            used.add(source.name)
            if source.name not in shapes:
                missing.append(source.name)
            elif _transformed_shape(source, shapes[source.name]) != tuple(weight.shape):
                mismatched.append(f"{source.name} {list(shapes[source.name])}")
    return sorted(set(missing)), sorted(set(shapes) - used), sorted(set(mismatched))


def _transformed_shape(source: WeightSource, shape: tuple[int, ...]) -> tuple[int, ...]:
    try:
        return tuple(source.transform(torch.empty(shape, device="meta")).shape)
    except (RuntimeError, IndexError):  # the transform does not accept this shape
        return ()


def check_state_dict(file: SafetensorsFile, networks: Sequence[MappedNetwork], unread: Iterable[str]) -> None:
    """Raise LinewashError MODEL_KEYS unless the file has the tensors that the networks need, and no others.

    unread: names that the file may have although no network uses them.
    """
    missing, unused, mismatched = diff_keys(networks, file.shapes)
    unexpected = sorted(set(unused) - set(unread))
    problems = {"missing": missing, "unexpected": unexpected, "of another shape": mismatched}
    messages = [f"{len(names)} {what}: {', '.join(names[:MAX_LISTED_NAMES])}" for what, names in problems.items() if names]
    if messages:
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{file.path.name}: {'; '.join(messages)}")


def load_state_dict(
    file: SafetensorsFile, network: nn.Module, key_map: KeyMap, dtype: Callable[[str], torch.dtype], device: str
) -> None:
    """Load the weights of a network on the meta device one tensor at a time; freeze it and set evaluation mode."""
    sources = {key: key_map(key) for key in network.state_dict()}
    state: dict[str, Tensor] = {}
    last, stored = "", torch.empty(0)
    for key, source in sorted(sources.items(), key=lambda item: item[1].name):
        if source.name != last:  # sorted by name, so a tensor with several uses is read once
            last, stored = source.name, file.tensor(source.name)
        state[key] = source.transform(stored).to(device=device, dtype=dtype(key))
    network.load_state_dict(state, assign=True)
    network.requires_grad_(False).eval()
