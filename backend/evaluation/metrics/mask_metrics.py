"""How well the model finds the foreground by itself."""

from dataclasses import dataclass

from backend.contract.family import AnyColorModel
from backend.evaluation.colorize_pair import ColorizeOptions, colorize_pair
from backend.evaluation.metrics.color_metrics import intersection_over_union
from backend.evaluation.pairs import Pair


@dataclass(frozen=True)
class MaskRow:
    """Masks that the model guessed for a pair, as intersection over union with the true masks, 0..1."""

    pair: str
    """Name of the pair."""
    kind: str
    """As ``Pair.kind``."""
    drawing: float
    """The mask of the lines, as the pipeline used it."""
    raw: float
    """The same mask, before it was snapped to the regions."""
    colored: float
    """The mask of the drawing's true colors, as if they were a reference."""
    reference: float
    """The mask of the reference; nan where the true one is unknown."""


def measure_masks(family: AnyColorModel, pair: Pair, options: ColorizeOptions) -> MaskRow:
    """All masks of a pair whose mask tells foreground from background."""
    used = colorize_pair(family, pair, options).foreground
    raw = family.segment_drawing(255 - pair.line)
    reference = float("nan")
    if pair.reference_mask is not None:
        reference = intersection_over_union(family.segment_reference(pair.reference), pair.reference_mask)
    return MaskRow(
        pair.name,
        pair.kind,
        intersection_over_union(used, pair.mask),
        intersection_over_union(raw, pair.mask),
        intersection_over_union(family.segment_reference(pair.color), pair.mask),
        reference,
    )
