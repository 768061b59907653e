"""How well the model finds the figure by itself."""

from dataclasses import dataclass

from backend.contract.family import AnyColorModel
from backend.evaluation.color_metrics import intersection_over_union
from backend.evaluation.colorize_pair import ColorizeOptions, colorize_pair
from backend.evaluation.pairs import Pair


@dataclass(frozen=True)
class MaskRow:
    """Intersection over union with the true mask, 0..1.

    drawing: the guess from the bare lines, as the pipeline used it.  raw: the same guess before it was laid on the regions.
    colored: the guess from the drawing's true colors, as if that picture were a reference.  reference: the guess from the
    reference itself; nan where its mask is not known.
    """

    pair: str
    kind: str
    drawing: float
    raw: float
    colored: float
    reference: float


def measure_masks(family: AnyColorModel, pair: Pair, options: ColorizeOptions) -> MaskRow:
    """All guesses for a pair whose mask tells figure from ground."""
    used = colorize_pair(family, pair, options).foreground
    raw = family.guess_drawing_mask(255 - pair.line)
    reference = float("nan")
    if pair.reference_mask is not None:
        reference = intersection_over_union(family.guess_reference_mask(pair.reference), pair.reference_mask)
    return MaskRow(
        pair.name,
        pair.kind,
        intersection_over_union(used, pair.mask),
        intersection_over_union(raw, pair.mask),
        intersection_over_union(family.guess_reference_mask(pair.color), pair.mask),
        reference,
    )
