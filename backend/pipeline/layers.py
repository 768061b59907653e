"""Last stage: the model's colors become the two canvas-size layers and their composite."""

from dataclasses import replace

import numpy as np

from backend.contract.drawing import Colors, Drawing, Reference, ResultLayers, SelectionEdit
from backend.imaging.color import on_white
from backend.imaging.compositing import composite, extend_alpha_under_lines, render_layer
from backend.imaging.edits.mean_shift import shift_region_means
from backend.imaging.edits.selection import blend_outside, extend_colors
from backend.imaging.region_fill import build_region_colors, sample_field
from backend.imaging.segmentation.label_upsampling import upsample_labels
from backend.imaging.types import Floats, Rgba
from backend.pipeline.fixed_regions import sample_previous
from shared.protocol import ReferenceRole

WHITE = (255, 255, 255)
_ENOUGH = 0.02
"""Share of a reference that must be background before its color is taken for the paper."""


def background_color(references: tuple[Reference, ...]) -> tuple[int, int, int]:
    """The color of the ground when the whole drawing is figure: the first reference's own background, else white."""
    for reference in references:
        ground = reference.mask < 128
        if reference.role is not ReferenceRole.FOREGROUND and ground.mean() >= _ENOUGH:
            r, g, b = np.median(reference.rgb[ground], axis=0).astype(int).tolist()
            return r, g, b
    return WHITE


def compose_layers(drawing: Drawing, colors: Colors) -> ResultLayers:
    """Foreground, background and composite at canvas size, (H, W, 4) uint8 each.

    The regions' borders run in the middle of the canvas-size lines; colors lie beneath the lines and hold none of them.  The
    foreground's alpha is the mask, carried under the line that its edge touches.  The background is opaque: behind the
    figure its colors are closed smoothly, so that hiding the foreground shows no hole and no ghost; a drawing that is all
    figure has ``background_color`` there.

    Fixed regions have their color whatever the model says: every pixel of it in the flats; in the painted finish its mean is
    that color, with the model's shading around it.  Recoloring a selection leaves all else of the earlier layers as it is.
    """
    regions = drawing.regions
    lifted = upsample_labels(regions.labels, drawing.ink)
    wash = build_region_colors(regions, _region_colors(drawing, colors), background_color(drawing.references))
    foreground, background = _empty(drawing), _empty(drawing)
    render_layer(lifted, regions, wash, drawing.ink, True, foreground)
    render_layer(lifted, regions, wash, drawing.ink, False, background)
    foreground[..., 3] = extend_alpha_under_lines(drawing.mask, lifted, regions.foreground, drawing.ink, regions.ink)
    background[..., 3] = 255
    if drawing.selection_edit is not None:
        previous, cut = drawing.selection_edit.previous, drawing.selection_edit.split
        before = previous.foreground, previous.background
        blend_outside(before, lifted, cut, drawing.selection_edit.selection, foreground, background)
    return ResultLayers(foreground, background, composite(foreground, _opaque(background)))


def _region_colors(drawing: Drawing, colors: Colors) -> Floats:
    """Every pixel's color at working size; what a selection leaves as it is looks as before, so that new colors join it."""
    own = sample_field(drawing.regions, drawing.fixed.apply_to(colors.flats), colors.field)
    fixed = drawing.fixed
    if drawing.selection_edit is not None:  # the others are as before, shading and all
        fixed = replace(fixed, is_fixed=fixed.is_fixed & drawing.selection_edit.split.editable)
    if colors.field is not None:
        own = shift_region_means(own, drawing.regions, fixed)
    return own if drawing.selection_edit is None else _blend_with_previous(own, drawing.selection_edit)


def _blend_with_previous(own: Floats, recoloring: SelectionEdit) -> Floats:
    cut = recoloring.split
    before, there = sample_previous(recoloring.previous, cut.regions)
    stays = ~cut.blendable[cut.regions.labels] & there
    return extend_colors(np.where(stays[..., None], before.astype(np.float32), own), cut)


def _opaque(background: Rgba) -> Rgba:
    """An earlier background through which the painter has erased holes, on white."""
    if (background[..., 3] == 255).all():
        return background
    return np.dstack([on_white(background), np.full(background.shape[:2], 255, np.uint8)])


def _empty(drawing: Drawing) -> Rgba:
    return np.empty((*drawing.ink.shape, 4), np.uint8)
