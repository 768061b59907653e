"""Groups of cross-attention layers, whose strengths painters set."""

from collections.abc import Collection
from dataclasses import dataclass

PerLayer = tuple[float, ...]
"""One number for each cross-attention layer, in the order in which the U-Net runs them."""


@dataclass(frozen=True)
class LayerGroups:
    """The cross-attention layers of a U-Net, and which of them each level strength sets."""

    count: int
    """Number of cross-attention layers."""
    encoder: Collection[int]
    """Layers of the encoder strength."""
    color: Collection[int]
    """Layers of the color strength."""
    semantics: Collection[int]
    """Layers of the semantics (content) strength."""

    def constant(self, value: float) -> PerLayer:
        """The same number for all layers."""
        return (value,) * self.count

    def levels(self, reference: float, encoder: float, color: float, semantics: float) -> PerLayer:
        """Strengths of all layers from three level strengths, each times ``reference``; later groups overwrite earlier ones.

        Layers in no group get ``reference`` itself (spec 8); the published program leaves them at 1.
        """
        strengths = [1.0] * self.count
        for layers, value in ((self.encoder, encoder), (self.color, color), (self.semantics, semantics)):
            for layer in layers:
                strengths[layer] = value
        return tuple(reference * value for value in strengths)


SD2_LAYERS = LayerGroups(16, encoder=range(6), color=(2, 3, 10, 11, 12), semantics=(4, 5, 7, 8, 9))
"""Layers of a U-Net like Stable Diffusion 2's: 0-5 are down, 6 is the middle, 7-15 are up (spec 7 and 8)."""
XL_LAYERS = LayerGroups(70, encoder=range(24), color=(), semantics=(*range(4, 24), *range(34, 64)))
"""Layers of a U-Net like SDXL's: 0-23 are down, 24-33 are the middle, 34-69 up; two or ten in a transformer (spec XL 3.4)."""
