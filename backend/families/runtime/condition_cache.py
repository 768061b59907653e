"""A family that remembers conditions by content: a new seed, other steps or guidance compute nothing anew."""

import hashlib
from collections import OrderedDict
from typing import Generic

import numpy as np

from backend.contract.drawing import Colors, Drawing, ProgressCallback
from backend.contract.family import ColorModel, Condition, DelegatesSegmentation, ForegroundSegmenter, Latent
from shared.protocol import ColorizeRequest

CACHED_CONDITIONS = 4
"""Pictures whose condition is kept."""


def condition_key(drawing: Drawing, request: ColorizeRequest) -> str:
    """A digest of all a condition depends on: pictures, their roles, fixed colors, finish, mode, parameters; no seed."""
    digest = hashlib.blake2b(digest_size=16)
    arrays = [drawing.ink, drawing.mask, drawing.regions.labels, drawing.regions.foreground]
    arrays += [drawing.fixed.is_fixed, drawing.fixed.apply_to(np.zeros((drawing.regions.count, 3), np.uint8))]
    for reference in drawing.references:
        arrays += [reference.rgb, reference.mask]
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).data)
    settings = (request.finish.value, request.mode, request.parameters, [r.role.value for r in drawing.references])
    digest.update(repr(settings).encode())
    return digest.hexdigest()


class CachingModel(DelegatesSegmentation, Generic[Condition, Latent]):
    """``family`` with the last few conditions kept; everything else goes straight through.

    guesser: who finds figures instead of the family itself.
    """

    def __init__(
        self, family: ColorModel[Condition, Latent], guesser: ForegroundSegmenter | None = None, size: int = CACHED_CONDITIONS
    ) -> None:
        super().__init__(family if guesser is None else guesser)
        self.spec = family.spec
        self._family, self._size = family, size
        self._kept: OrderedDict[str, Condition] = OrderedDict()

    def condition(self, drawing: Drawing, request: ColorizeRequest) -> Condition:
        """The family's condition of this picture, computed only when it is not remembered."""
        key = condition_key(drawing, request)
        if key not in self._kept:
            self._kept[key] = self._family.condition(drawing, request)
        self._kept.move_to_end(key)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return self._kept[key]

    def denoise(self, condition: Condition, request: ColorizeRequest, on_step: ProgressCallback) -> Latent:
        """See ``ColorModel``."""
        return self._family.denoise(condition, request, on_step)

    def decode(self, condition: Condition, latent: Latent, drawing: Drawing, request: ColorizeRequest) -> Colors:
        """See ``ColorModel``."""
        return self._family.decode(condition, latent, drawing, request)
