"""Guidance by the reference and by the sketch: which branches a step needs, and how they are combined (spec 15.1 and 15.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from torch import Tensor

LAST_TIME = 999


def progress(t: float) -> float:
    """How far a sampling has come at time step t (999..0): 0 at its start, 1 at its end."""
    return 1 - t / LAST_TIME


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
    """How strongly reference and sketch guide, and when the reference is seen.

    The window is in ``progress`` and inclusive at all four ends: the reference is seen from ``start`` to ``end``, but not
    from ``pause_start`` to ``pause_end``.
    """

    reference: float = 1.0
    """Guidance scale; without effect up to 1."""
    sketch: float = 1.0
    """Guidance scale; without effect up to 1."""
    start: float = 0.0
    """0..1."""
    end: float = 1.0
    """0..1."""
    pause_start: float = -0.05
    """Below 0 with ``pause_end``: no pause."""
    pause_end: float = -0.05
    """At least ``pause_start``."""

    def sees_reference(self, t: float) -> bool:
        """Whether the reference is seen at time step t.  A function of t alone: after a pause it comes back."""
        now = progress(t)
        return self.start <= now <= self.end and not self.pause_start <= now <= self.pause_end

    def branches(self, t: float) -> tuple[Branch, ...]:
        """The rows that a step at time step t needs, in the published order; one row when nothing guides.

        Where the reference is not seen, the tokens of every branch are zero.  Then the conditional and the reference-negative
        branch are the same, so that without guidance by the sketch the batch is one row.
        """
        if not self.sees_reference(t):
            return (Branch.NO_REFERENCE, Branch.NEITHER) if self.sketch > 1 else (Branch.NO_REFERENCE,)
        negatives = (Branch.NO_REFERENCE,) * (self.reference > 1) + (Branch.NO_SKETCH,) * (self.sketch > 1)
        return (Branch.BOTH, *negatives)

    def combine(self, outputs: Mapping[Branch, Tensor]) -> Tensor:
        """The guided output (B, 4, h, w) from those of ``branches``.

        u + (c - u) scale for one guidance, where c is the conditional output and u the one without reference or sketch; the
        mean of the two for both.
        """
        sees_reference = Branch.BOTH in outputs
        conditional = outputs[Branch.BOTH if sees_reference else Branch.NO_REFERENCE]
        guided: list[Tensor] = []
        if self.reference > 1:
            negative = outputs[Branch.NO_REFERENCE]
            guided.append(negative + (conditional - negative) * self.reference)
        if self.sketch > 1:
            negative = outputs[Branch.NO_SKETCH if sees_reference else Branch.NEITHER]
            guided.append(negative + (conditional - negative) * self.sketch)
        if not guided:
            return conditional
        return guided[0] if len(guided) == 1 else 0.5 * (guided[0] + guided[1])
