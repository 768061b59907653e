"""The data that the parts of the generator exchange."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from backend.imaging.types import Gray, Rgb


@dataclass(frozen=True)
class View:
    """One drawing of a character or thing, without a scene."""

    rgb: Rgb
    """(S, S, 3): colors, with the lines drawn in."""
    line: Gray
    """(S, S): 255 paper, 0 ink."""
    mask: Gray
    """(S, S): 255 = foreground."""


@dataclass(frozen=True)
class DrawingSet:
    """One training example: a drawing, its true colors, and a reference."""

    line: Gray
    """(S, S): 255 paper, 0 ink."""
    color: Rgb
    """(S, S, 3): the colored drawing."""
    mask: Gray
    """(S, S): 255 = foreground."""
    ref: Rgb
    """(S, S, 3): another drawing of the same character, in the same colors."""
    refmask: Gray
    """(S, S): the foreground of the reference."""
    source: str
    """"NAME/KIND" of what drew it; reports are grouped by it."""


class Source(Protocol):
    """Draws training sets; a set depends on nothing but the random generator."""

    name: str

    def draw(self, rng: np.random.Generator, size: int) -> DrawingSet:
        """One set, `size` pixels a side."""
        ...
