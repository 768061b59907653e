"""For what finds no figures itself: another guesser does."""

from backend.contract.family import ForegroundSegmenter
from backend.imaging.types import Gray, Rgb


class DelegatesSegmentation:
    """What ``ForegroundSegmenter`` asks, passed on to ``guesser``."""

    def __init__(self, guesser: ForegroundSegmenter) -> None:
        self._guesser = guesser

    @property
    def mask_warnings(self) -> tuple[str, ...]:
        """See ``ForegroundSegmenter``."""
        return self._guesser.mask_warnings

    def guess_drawing_mask(self, ink: Gray) -> Gray:
        """See ``ForegroundSegmenter``."""
        return self._guesser.guess_drawing_mask(ink)

    def guess_reference_mask(self, rgb: Rgb) -> Gray:
        """See ``ForegroundSegmenter``."""
        return self._guesser.guess_reference_mask(rgb)
