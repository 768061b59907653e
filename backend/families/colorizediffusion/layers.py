"""Cross-attention layers and their groups, for which painters set strengths."""

from collections.abc import Collection
from dataclasses import dataclass

PerLayer = tuple[float, ...]
"""One number for each cross-attention layer, in the order in which a U-Net runs them."""


@dataclass(frozen=True)
class LayerGroups:
    """How many cross-attention layers a U-Net has, and which of them each level strength sets."""

    count: int
    encoder: Collection[int]
    color: Collection[int]
    semantics: Collection[int]

    def constant(self, value: float) -> PerLayer:
        """The same number for all layers."""
        return (value,) * self.count

    def levels(self, reference: float, encoder: float, color: float, semantics: float) -> PerLayer:
        """A strength for each layer from three level numbers, each times ``reference``; later groups overwrite earlier ones.

        Layers in no group get ``reference`` itself (spec 8); the published program leaves them at 1.
        """
        strengths = [1.0] * self.count
        for layers, value in ((self.encoder, encoder), (self.color, color), (self.semantics, semantics)):
            for layer in layers:
                strengths[layer] = value
        return tuple(reference * value for value in strengths)


SD2_LAYERS = LayerGroups(16, encoder=range(6), color=(2, 3, 10, 11, 12), semantics=(4, 5, 7, 8, 9))
"""Of a U-Net like Stable Diffusion 2's: 0-5 on the way down, 6 in the middle, 7-15 on the way up (spec 7 and 8)."""
