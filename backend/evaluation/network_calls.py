"""How often a family's networks run."""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import nn


def find_networks(thing: object) -> list[nn.Module]:
    """Every outermost module that an object of this project holds: in attributes, in theirs, in tuples, lists and mappings."""
    found: dict[int, nn.Module] = {}
    seen: set[int] = set()
    waiting: list[Any] = [thing]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, nn.Module):
            found[id(one)] = one
        elif isinstance(one, Mapping):
            waiting += one.values()
        elif isinstance(one, Sequence) and not isinstance(one, (str, bytes)):
            waiting += one
        elif type(one).__module__.split(".")[0] in ("backend", "tests"):
            waiting += vars(one).values() if hasattr(one, "__dict__") else ()
    return list(found.values())


class NetworkCallCounter:
    """Counts while ``counting``.  total: calls of networks so far."""

    def __init__(self) -> None:
        self._runs: dict[int, Counter[int]] = {}

    @property
    def total(self) -> int:
        """Calls of all networks, each as often as its busiest layer ran.

        A network may be called through several methods, of which only the layers inside are seen; the busiest layer ran at
        least once for every pass through the network, and a batch counts once.
        """
        return sum(max(runs.values(), default=0) for runs in self._runs.values())

    @contextmanager
    def watch(self, family: object) -> Generator[None]:
        """Watches every layer with parameters of every network the family holds."""
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
