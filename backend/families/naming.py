"""Where the weights of a network stand in a published checkpoint, told from the network's side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor


def same(x: Tensor) -> Tensor:
    """As it is."""
    return x


@dataclass(frozen=True)
class Source:
    """The name of a tensor in the file, and what makes the module's tensor of it."""

    name: str
    change: Callable[[Tensor], Tensor] = same


Names = Callable[[str], Source]
"""From a key of a module's state dict to its source."""


def put(names: Mapping[str, str], inner: str) -> str:
    """``inner`` with its longest beginning in ``names`` replaced."""
    start = max((old for old in names if inner == old or inner.startswith(old + ".")), key=len, default=None)
    return inner if start is None else names[start] + inner[len(start) :]
