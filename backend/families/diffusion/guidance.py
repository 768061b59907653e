"""Guidance by the reference and by the sketch: which branches a step needs, and how they are combined (spec 15.1 and 15.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from torch import Tensor

LAST_TIME = 999


class Branch(Enum):
    """What one row of a step's batch is conditioned on."""

    BOTH = "sketch and reference"
    NO_REFERENCE = "sketch, zero tokens"
    NO_SKETCH = "blank sketch, reference"
    NEITHER = "blank sketch, zero tokens"

    @property
    def reference(self) -> bool:
        """Whether this row sees the reference."""
        return self in (Branch.BOTH, Branch.NO_SKETCH)

    @property
    def sketch(self) -> bool:
        """Whether this row sees the sketch."""
        return self in (Branch.BOTH, Branch.NO_REFERENCE)


@dataclass(frozen=True)
class Guidance:
    """Scales of the reference and of the sketch, each of which counts only above 1, and when the reference is seen.

    The window is in progress 1 - t / 999: the reference is seen from ``start`` to ``end``, but not from ``pause_start`` to
    ``pause_end``; all four inclusive.
    """

    reference: float = 1.0
    sketch: float = 1.0
    start: float = 0.0
    end: float = 1.0
    pause_start: float = -0.05
    pause_end: float = -0.05

    def sees_reference(self, t: float) -> bool:
        """Whether the reference is seen at time t.  A function of t alone: after a pause it comes back."""
        progress = 1 - t / LAST_TIME
        return self.start <= progress <= self.end and not self.pause_start <= progress <= self.pause_end

    def branches(self, t: float) -> tuple[Branch, ...]:
        """The rows a step at time t needs, in the published order; one row when nothing guides.

        Where the reference is not seen, every branch's tokens are zero.  Then the conditional and the reference-negative
        branch are the same, so that without guidance by the sketch the batch is one.
        """
        if not self.sees_reference(t):
            return (Branch.NO_REFERENCE, Branch.NEITHER) if self.sketch > 1 else (Branch.NO_REFERENCE,)
        rows = (Branch.NO_REFERENCE,) * (self.reference > 1) + (Branch.NO_SKETCH,) * (self.sketch > 1)
        return (Branch.BOTH, *rows)

    def combine(self, outputs: Mapping[Branch, Tensor]) -> Tensor:
        """The guided output from those of ``branches``, each (B, 4, h, w); the order of two guidances is no matter.

        u + (c - u) scale for one guidance, the mean of the two for both.
        """
        seen = Branch.BOTH in outputs
        with_both = outputs[Branch.BOTH if seen else Branch.NO_REFERENCE]
        guided: list[Tensor] = []
        if self.reference > 1:
            without = outputs[Branch.NO_REFERENCE]
            guided.append(without + (with_both - without) * self.reference)
        if self.sketch > 1:
            without = outputs[Branch.NO_SKETCH if seen else Branch.NEITHER]
            guided.append(without + (with_both - without) * self.sketch)
        if not guided:
            return with_both
        return guided[0] if len(guided) == 1 else 0.5 * (guided[0] + guided[1])
