"""A least-recently-used cache, which every other cache of the families is built on."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class LruCache(Generic[Value]):
    """Values by key; of more than ``size``, the one that was not asked for longest is dropped."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[str, Value] = OrderedDict()

    def get_or_compute(self, key: str, compute: Callable[[], Value]) -> Value:
        """The value of ``key``, computed only when it is not in the cache.  An error of ``compute`` leaves no entry."""
        if key not in self._values:
            self._values[key] = compute()
        self._values.move_to_end(key)
        while len(self._values) > self._size:
            self._values.popitem(last=False)
        return self._values[key]
