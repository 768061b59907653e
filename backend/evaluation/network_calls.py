"""Counts how often a model's networks run."""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import nn


def find_networks(thing: object) -> list[nn.Module]:
    """The outermost torch modules that an object holds, directly or through attributes, sequences and mappings.

    Only attributes of this project's own objects are followed.
    """
    networks: dict[int, nn.Module] = {}
    visited: set[int] = set()
    stack: list[Any] = [thing]
    while stack:
        value = stack.pop()
        # By id, as objects may refer to each other in circles and need not be hashable.
        if id(value) in visited:
            continue
        visited.add(id(value))
        if isinstance(value, nn.Module):
            networks[id(value)] = value
        elif isinstance(value, Mapping):
            stack += value.values()
        elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
            stack += value
        elif type(value).__module__.split(".")[0] in ("backend", "tests"):
            stack += vars(value).values() if hasattr(value, "__dict__") else ()
    return list(networks.values())


class NetworkCallCounter:
    """Counts the calls of networks inside ``with counter.watch(model):``."""

    def __init__(self) -> None:
        self._runs: dict[int, Counter[int]] = {}

    @property
    def total(self) -> int:
        """Calls of all networks so far; a batch is one call.

        A network may be called through several methods, but only calls of its layers can be observed.  So its busiest layer
        is counted: it ran at least once in every pass through the network.
        """
        return sum(max(runs.values(), default=0) for runs in self._runs.values())

    @contextmanager
    def watch(self, family: object) -> Generator[None]:
        """Count the calls of every layer with parameters in every network that the model holds."""
        handles: list[Any] = []
        for network in find_networks(family):
            runs = self._runs.setdefault(id(network), Counter())
            layers = [layer for layer in network.modules() if any(True for _ in layer.parameters(recurse=False))]
            handles += [layer.register_forward_pre_hook(_counting_hook(runs)) for layer in layers]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def _counting_hook(runs: Counter[int]) -> Any:
    def count(layer: nn.Module, inputs: Any) -> None:
        runs[id(layer)] += 1

    return count
