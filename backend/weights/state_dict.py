"""Compares a checkpoint with the networks it is meant for, by names and shapes, and loads it into them."""

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
    """The name of a tensor in the file, and what makes the module's tensor of it."""

    name: str
    transform: Callable[[Tensor], Tensor] = identity


KeyMap = Callable[[str], WeightSource]
"""From a key of a module's state dict to its source."""


def replace_prefix(names: Mapping[str, str], inner: str) -> str:
    """``inner`` with its longest beginning in ``names`` replaced."""
    start = max((old for old in names if inner == old or inner.startswith(old + ".")), key=len, default=None)
    return inner if start is None else names[start] + inner[len(start) :]


MappedNetwork = tuple[nn.Module, KeyMap]
"""A network and where its weights stand in a file."""
Shapes = Mapping[str, tuple[int, ...]]
"""Name of a tensor in the file -> shape."""
Network = TypeVar("Network")
MAX_LISTED_NAMES = 12
"""How many names an error tells of each kind."""
MAX_SIDECAR_BYTES = 65_536
"""Bytes that are read of a description; a whole one has a hundred."""


def axis_length(shapes: Shapes, name: str, axis: int = 0) -> int:
    """The length of an axis of a tensor.  LinewashError MODEL_KEYS when there is no such tensor or axis, or it has none."""
    shape = shapes.get(name)
    if shape is None:
        raise LinewashError(ErrorCode.MODEL_KEYS, f"missing {name}")
    if len(shape) <= axis or shape[axis] == 0:
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{name} {list(shape)}")
    return shape[axis]


def count_children(shapes: Shapes, prefix: str) -> int:
    """How many numbered things there are under ``prefix``."""
    numbers = (name[len(prefix) :].split(".", 1)[0] for name in shapes if name.startswith(prefix))
    return len({number for number in numbers if number.isdecimal()})


def read_sidecar_json(checkpoint: Path) -> dict[str, Any]:
    """The JSON object beside a checkpoint (``NAME.json`` for ``NAME.safetensors``), {} when there is no such file.

    Raises LinewashError MODEL_KEYS when the file is something else.
    """
    path = checkpoint.with_suffix(".json")
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            found: Any = json.loads(file.read(MAX_SIDECAR_BYTES))
    except (ValueError, OSError, RecursionError) as error:  # RecursionError: nested too deeply
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{path.name}: {error}") from error
    if not isinstance(found, dict):
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{path.name}: not an object")
    return cast(dict[str, Any], found)


def build_on_meta(build_it: Callable[[], Network]) -> Network:
    """What ``build_it`` builds, without memory for weights."""
    try:
        with torch.device("meta"):
            return build_it()
    except (ValueError, RuntimeError, ArithmeticError, IndexError, TypeError, AssertionError) as error:
        # shapes no network can have: torch, diffusers and transformers each say so in their own way
        raise LinewashError(ErrorCode.MODEL_KEYS, str(error)) from error


def diff_keys(networks: Iterable[MappedNetwork], held: Shapes) -> tuple[list[str], list[str], list[str]]:
    """Names that ``held`` lacks, names that no network uses, and names with another shape; networks may be on any device."""
    used: set[str] = set()
    missing: list[str] = []
    wrong: list[str] = []
    for network, names in networks:
        for key, weight in network.state_dict().items():
            source = names(key)
            used.add(source.name)
            if source.name not in held:
                missing.append(source.name)
            elif _transformed_shape(source, held[source.name]) != tuple(weight.shape):
                wrong.append(f"{source.name} {list(held[source.name])}")
    return sorted(set(missing)), sorted(set(held) - used), sorted(set(wrong))


def _transformed_shape(source: WeightSource, shape: tuple[int, ...]) -> tuple[int, ...]:
    try:
        return tuple(source.transform(torch.empty(shape, device="meta")).shape)
    except (RuntimeError, IndexError):  # a shape that cannot be changed so
        return ()


def check_state_dict(file: SafetensorsFile, networks: Sequence[MappedNetwork], unread: Iterable[str]) -> None:
    """Raise LinewashError MODEL_KEYS unless the file holds what the networks need, and nothing else but names in
    ``unread``.
    """
    missing, more, wrong = diff_keys(networks, file.shapes)
    unexpected = sorted(set(more) - set(unread))
    found = {"missing": missing, "unexpected": unexpected, "of another shape": wrong}
    told = [f"{len(names)} {what}: {', '.join(names[:MAX_LISTED_NAMES])}" for what, names in found.items() if names]
    if told:
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{file.path.name}: {'; '.join(told)}")


def load_state_dict(
    file: SafetensorsFile, network: nn.Module, names: KeyMap, dtype: Callable[[str], torch.dtype], device: str
) -> None:
    """Give a network on the meta device its weights, read one tensor at a time; freeze it, in evaluation mode."""
    sources = {key: names(key) for key in network.state_dict()}
    state: dict[str, Tensor] = {}
    last, stored = "", torch.empty(0)
    for key, source in sorted(sources.items(), key=lambda item: item[1].name):
        if source.name != last:  # parts of one tensor follow each other, so it is read once
            last, stored = source.name, file.tensor(source.name)
        state[key] = source.transform(stored).to(device=device, dtype=dtype(key))
    network.load_state_dict(state, assign=True)
    network.requires_grad_(False).eval()
