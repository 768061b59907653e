"""Keeps a part of the image: after every step it is put back, with as much noise as the rest has left (spec 15.5, XL 6.2)."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class LatentCopy:
    """A ``LatentEdit`` that puts a given latent outside of a mask.  There is nothing left to change after the last step."""

    latent: Tensor
    """(1, 4, h, w), clean and scaled."""
    painted: Tensor
    """(1, 1, h, w) boolean: True where the sampler's own latent stays."""
    noise: Tensor
    """(1, 4, h, w), the unit noise that the sampling started from."""

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        """See ``LatentEdit``."""
        return torch.where(self.painted, x, self.latent + sigma * self.noise)
