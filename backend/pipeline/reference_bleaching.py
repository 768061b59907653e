"""Bleaches one reference as a coloring would, for those who want to see it before."""

from backend.contract.family import AnyColorModel
from backend.imaging.bleaching import bleach
from backend.imaging.color import on_white
from backend.imaging.types import Rgb, Rgba
from backend.pipeline.prepare import find_reference_mask
from shared.errors import ErrorCode, LinewashError


def bleach_reference(rgba: Rgba, family: AnyColorModel, threshold: float) -> Rgb:
    """The reference (h, w, 4) on white, (h, w, 3), white where it is foreground.

    The mask is its transparency, else what the family finds.  LinewashError EMPTY_REFERENCE when nothing of it is visible.
    """
    if not (rgba[..., 3] >= 8).any():
        raise LinewashError(ErrorCode.EMPTY_REFERENCE)
    rgb = on_white(rgba)
    return bleach(rgb, find_reference_mask(rgba, rgb, family), threshold)
