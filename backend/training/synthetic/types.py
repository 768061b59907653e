"""What the sources hand to one another."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from backend.imaging.types import Gray, Rgb


@dataclass(frozen=True)
class View:
    """One figure drawn alone.

    rgb: (S, S, 3), color with its lines in it.  line: (S, S), 255 paper, 0 ink.  mask: (S, S), 255 figure.
    """

    rgb: Rgb
    line: Gray
    mask: Gray


@dataclass(frozen=True)
class DrawingSet:
    """One training example; every array is (S, S) or (S, S, 3) uint8.

    line: 255 paper, 0 ink.  color: the colored drawing.  mask: 255 figure.  ref, refmask: the same figure elsewhere.
    source: "family/what", for reports by source.
    """

    line: Gray
    color: Rgb
    mask: Gray
    ref: Rgb
    refmask: Gray
    source: str


class Source(Protocol):
    """Draws sets; a set depends on the generator alone."""

    name: str

    def draw(self, rng: np.random.Generator, size: int) -> DrawingSet:
        """One set of size x size pixels."""
        ...
