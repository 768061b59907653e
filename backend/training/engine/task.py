"""What the trainer needs to know of a network that it trains."""

from collections.abc import Callable
from typing import Any, Protocol

from torch import Tensor, nn

from backend.imaging.types import Rgb
from backend.training.engine.batches import BatchSource

SheetRenderer = Callable[[nn.Module], Rgb | None]
"""Draws a contact sheet of validation images with a network; None when there is nothing to draw."""


class Task(BatchSource, Protocol):
    """What a network learns: where its batches come from, and its loss."""

    def network(self) -> nn.Module:
        """A new network with its initial weights."""
        ...

    def loss(self, network: Any, batch: Any) -> tuple[Tensor, dict[str, float]]:
        """The loss of a batch, a scalar, and metrics for the log.  ``batch``: a NamedTuple of tensors, from ``batch``."""
        ...
