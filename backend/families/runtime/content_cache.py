"""What was computed of the last few pictures, by content: an edited drawing leaves the reference's tokens as they are."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np
from torch import Tensor

Computed = TypeVar("Computed")


class ContentCache(Generic[Computed]):
    """A function of pictures whose last ``size`` values are kept.

    Example: ``tokens = Kept(encode, 4); tokens(picture)`` encodes a picture once.
    """

    def __init__(self, compute: Callable[[Tensor], Computed], size: int) -> None:
        self._compute, self._size = compute, size
        self._values: OrderedDict[str, Computed] = OrderedDict()

    def __call__(self, picture: Tensor) -> Computed:
        """The value for a picture, any shape, on the CPU or not."""
        key = content_digest(picture)
        if key not in self._values:
            self._values[key] = self._compute(picture)
        self._values.move_to_end(key)
        while len(self._values) > self._size:
            self._values.popitem(last=False)
        return self._values[key]


def content_digest(picture: Tensor) -> str:
    """Of shape, type and content."""
    array = np.ascontiguousarray(picture.detach().float().cpu().numpy())
    digested = hashlib.blake2b(repr((picture.shape, str(picture.dtype))).encode(), digest_size=16)
    digested.update(array.data)
    return digested.hexdigest()
