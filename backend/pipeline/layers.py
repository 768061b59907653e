"""Last stage: the model's colours become the two canvas-size layers and their composite."""

import numpy as np

from backend.imaging.finish import carry_under_lines, composite, paint_side
from backend.imaging.lifting import lift_labels
from backend.imaging.painting import washes
from backend.imaging.types import Rgba
from backend.pipeline.types import Colours, Drawing, Layers, Reference
from shared.protocol import ReferenceRole

WHITE = (255, 255, 255)
_ENOUGH = 0.02
"""Share of a reference that must be background before its colour is taken for the paper."""


def paper_colour(references: tuple[Reference, ...]) -> tuple[int, int, int]:
    """The colour of the ground when the whole drawing is figure: the first reference's own background, else white."""
    for reference in references:
        ground = reference.mask < 128
        if reference.role is not ReferenceRole.FOREGROUND and ground.mean() >= _ENOUGH:
            r, g, b = np.median(reference.rgb[ground], axis=0).astype(int).tolist()
            return r, g, b
    return WHITE


def layers(drawing: Drawing, colours: Colours) -> Layers:
    """Foreground, background and composite at canvas size, (H, W, 4) uint8 each.

    The regions' borders run in the middle of the canvas-size lines; colours lie beneath the lines and hold none of them.  The
    foreground's alpha is the mask, carried under the line that its edge touches.  The background is opaque: behind the
    figure its colours are closed smoothly, so that hiding the foreground shows no hole and no ghost; a drawing that is all
    figure has ``paper_colour`` there.
    """
    regions = drawing.regions
    lifted = lift_labels(regions.labels, drawing.ink)
    wash = washes(regions, colours.flats, colours.field, paper_colour(drawing.references))
    foreground, background = _empty(drawing), _empty(drawing)
    paint_side(lifted, regions, wash, drawing.ink, True, foreground)
    paint_side(lifted, regions, wash, drawing.ink, False, background)
    foreground[..., 3] = carry_under_lines(drawing.mask, lifted, regions.foreground, drawing.ink, regions.ink)
    background[..., 3] = 255
    return Layers(foreground, background, composite(foreground, background))


def _empty(drawing: Drawing) -> Rgba:
    return np.empty((*drawing.ink.shape, 4), np.uint8)
