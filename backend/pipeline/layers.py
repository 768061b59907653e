"""Last stage: the model's colours become the two canvas-size layers and their composite."""

from dataclasses import replace

import numpy as np

from backend.imaging.colour import on_white
from backend.imaging.finish import carry_under_lines, composite, paint_side
from backend.imaging.lifting import lift_labels
from backend.imaging.painting import own_colours, washes
from backend.imaging.selection import continued, keep_outside
from backend.imaging.toning import with_means
from backend.imaging.types import Floats, Rgba
from backend.pipeline.holding import shown_before
from backend.pipeline.types import Colours, Drawing, Layers, Recolouring, Reference
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

    Fixed regions have their colour whatever the model says: every pixel of it in the flats; in the painted finish its mean is
    that colour, with the model's shading around it.  Recolouring a selection leaves all else of the earlier layers as it is.
    """
    regions = drawing.regions
    lifted = lift_labels(regions.labels, drawing.ink)
    wash = washes(regions, _own(drawing, colours), paper_colour(drawing.references))
    foreground, background = _empty(drawing), _empty(drawing)
    paint_side(lifted, regions, wash, drawing.ink, True, foreground)
    paint_side(lifted, regions, wash, drawing.ink, False, background)
    foreground[..., 3] = carry_under_lines(drawing.mask, lifted, regions.foreground, drawing.ink, regions.ink)
    background[..., 3] = 255
    if drawing.recolouring is not None:
        previous, cut = drawing.recolouring.previous, drawing.recolouring.cut
        before = previous.foreground, previous.background
        keep_outside(before, lifted, cut, drawing.recolouring.selection, foreground, background)
    return Layers(foreground, background, composite(foreground, _opaque(background)))


def _own(drawing: Drawing, colours: Colours) -> Floats:
    """Every pixel's colour at working size; what a selection leaves as it is looks as before, so that new colours join it."""
    own = own_colours(drawing.regions, drawing.fixed.applied(colours.flats), colours.field)
    fixed = drawing.fixed
    if drawing.recolouring is not None:  # the others are as before, shading and all
        fixed = replace(fixed, regions=fixed.regions & drawing.recolouring.cut.free)
    if colours.field is not None:
        own = with_means(own, drawing.regions, fixed)
    return own if drawing.recolouring is None else _joined(own, drawing.recolouring)


def _joined(own: Floats, recolouring: Recolouring) -> Floats:
    cut = recolouring.cut
    before, there = shown_before(recolouring.previous, cut.regions)
    stays = ~cut.writable[cut.regions.labels] & there
    return continued(np.where(stays[..., None], before.astype(np.float32), own), cut)


def _opaque(background: Rgba) -> Rgba:
    """An earlier background through which the painter has erased holes, on white."""
    if (background[..., 3] == 255).all():
        return background
    return np.dstack([on_white(background), np.full(background.shape[:2], 255, np.uint8)])


def _empty(drawing: Drawing) -> Rgba:
    return np.empty((*drawing.ink.shape, 4), np.uint8)
