"""A model with a cache of conditions: another seed, other steps or another guidance compute no condition anew."""

import hashlib
from typing import Generic

import numpy as np

from backend.contract.drawing import Colors, Drawing, ProgressCallback
from backend.contract.family import ColorModel, Condition, DelegatesSegmentation, ForegroundSegmenter, Latent
from backend.families.runtime.lru_cache import LruCache
from shared.protocol import ColorizeRequest

CACHED_CONDITIONS = 4
"""How many conditions a model keeps, each for one drawing with its references."""


def condition_key(drawing: Drawing, request: ColorizeRequest) -> str:
    """A digest of all that a condition depends on.

    That is: images, roles and sizes of the references, fixed colors, finish, mode and parameters; not seed, steps and guidance.
    """
    digest = hashlib.blake2b(digest_size=16)
    arrays = [drawing.ink, drawing.mask, drawing.regions.labels, drawing.regions.foreground]
    arrays += [drawing.fixed.is_fixed, drawing.fixed.apply_to(np.zeros((drawing.regions.count, 3), np.uint8))]
    for reference in drawing.references:
        arrays += [reference.rgb, reference.mask]
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).data)
    choices = (request.finish.value, request.mode, request.parameters, [(r.role.value, r.size) for r in drawing.references])
    digest.update(repr(choices).encode())
    return digest.hexdigest()


class CachingModel(DelegatesSegmentation, Generic[Condition, Latent]):
    """``model`` with a cache of its last ``size`` conditions; it passes everything else on.

    segmenter: finds foregrounds instead of the model itself.
    """

    def __init__(
        self, model: ColorModel[Condition, Latent], segmenter: ForegroundSegmenter | None = None, size: int = CACHED_CONDITIONS
    ) -> None:
        super().__init__(model if segmenter is None else segmenter)
        self.spec = model.spec
        self._model = model
        self._conditions: LruCache[Condition] = LruCache(size)

    def condition(self, drawing: Drawing, request: ColorizeRequest) -> Condition:
        """The model's condition, computed only when it is not in the cache."""
        key = condition_key(drawing, request)
        return self._conditions.get_or_compute(key, lambda: self._model.condition(drawing, request))

    def denoise(self, condition: Condition, request: ColorizeRequest, on_step: ProgressCallback) -> Latent:
        """See ``ColorModel``."""
        return self._model.denoise(condition, request, on_step)

    def decode(self, condition: Condition, latent: Latent, drawing: Drawing, request: ColorizeRequest) -> Colors:
        """See ``ColorModel``."""
        return self._model.decode(condition, latent, drawing, request)
