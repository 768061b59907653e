"""A function of tensors with a cache: when a drawing is edited, what was computed of its reference is still there."""

import hashlib
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np
from torch import Tensor

from backend.families.runtime.lru_cache import LruCache

Computed = TypeVar("Computed")


class ContentCache(Generic[Computed]):
    """A function of an image, or of several tensors; its values for the last ``size`` ones are cached by their content.

    Example: ``tokens = ContentCache(encode, 4); tokens(image)`` encodes an image once.
    """

    def __init__(self, compute: Callable[..., Computed], size: int) -> None:
        self._compute = compute
        self._cache: LruCache[Computed] = LruCache(size)

    def __call__(self, *tensors: Tensor) -> Computed:
        """The value for tensors of any shapes, on any device."""
        return self._cache.get_or_compute(" ".join(map(content_digest, tensors)), lambda: self._compute(*tensors))


def content_digest(image: Tensor) -> str:
    """A digest of shape, type and content."""
    array = np.ascontiguousarray(image.detach().float().cpu().numpy())
    digest = hashlib.blake2b(repr((image.shape, str(image.dtype))).encode(), digest_size=16)
    digest.update(array.data)
    return digest.hexdigest()
