"""The last stage: the model's colors become the two canvas-size layers and their composite."""

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
MIN_BACKGROUND_SHARE = 0.02
"""Share of a reference that must be background before its color is taken for the paper."""


def background_color(references: tuple[Reference, ...]) -> tuple[int, int, int]:
    """The background's color when the whole drawing is foreground: the median of the first reference that shows one, or white.

    A reference shows a background when at least ``MIN_BACKGROUND_SHARE`` of it is, unless it is for the foreground only.
    """
    for reference in references:
        background = reference.mask < 128
        if reference.role is not ReferenceRole.FOREGROUND and background.mean() >= MIN_BACKGROUND_SHARE:
            r, g, b = np.median(reference.rgb[background], axis=0).astype(int).tolist()
            return r, g, b
    return WHITE


def compose_layers(drawing: Drawing, colors: Colors) -> ResultLayers:
    """Foreground, background and composite at canvas size, (H, W, 4) uint8 each.

    The regions' borders run in the middle of the canvas-size lines; colors lie beneath the lines and hold none of them.  The
    foreground's alpha is the mask, extended under the line that its edge touches.  The background is opaque: behind the
    foreground its colors are closed smoothly, so that hiding the foreground shows no hole and no ghost; a drawing that is all
    foreground has ``background_color`` there.

    Fixed regions have their color whatever the model says: every pixel of it in the flats; in the painted finish its mean is
    that color, with the model's shading around it.  Coloring a selection anew leaves all else of the previous layers as it is.
    """
    regions, edit = drawing.regions, drawing.selection_edit
    canvas_labels = upsample_labels(regions.labels, drawing.ink)
    region_colors = build_region_colors(regions, _color_pixels(drawing, colors), background_color(drawing.references))
    foreground, background = _empty_layer(drawing), _empty_layer(drawing)
    render_layer(canvas_labels, regions, region_colors, drawing.ink, True, foreground)
    render_layer(canvas_labels, regions, region_colors, drawing.ink, False, background)
    foreground[..., 3] = extend_alpha_under_lines(drawing.mask, canvas_labels, regions.foreground, drawing.ink, regions.ink)
    background[..., 3] = 255
    if edit is not None:
        previous = edit.previous.foreground, edit.previous.background
        blend_outside(previous, canvas_labels, edit.split, edit.selection, foreground, background)
    return ResultLayers(foreground, background, composite(foreground, _opaque(background)))


def _color_pixels(drawing: Drawing, colors: Colors) -> Floats:
    """Every pixel's color at working size, (h, w, 3).

    What a selection leaves as it is looks as before, so that the new colors join it without a seam.
    """
    image = sample_field(drawing.regions, drawing.fixed.apply_to(colors.flats), colors.field)
    fixed, edit = drawing.fixed, drawing.selection_edit
    if edit is not None:  # regions outside the selection keep their old pixels, shading and all
        fixed = replace(fixed, is_fixed=fixed.is_fixed & edit.split.editable)
    # Without a field the flats have the fixed colors already.
    if colors.field is not None:
        image = shift_region_means(image, drawing.regions, fixed)
    return image if edit is None else _blend_with_previous(image, edit)


def _blend_with_previous(image: Floats, edit: SelectionEdit) -> Floats:
    split = edit.split
    previous, is_painted = sample_previous(edit.previous, split.regions)
    unchanged = ~split.blendable[split.regions.labels] & is_painted
    return extend_colors(np.where(unchanged[..., None], previous.astype(np.float32), image), split)


def _opaque(background: Rgba) -> Rgba:
    """A previous background in which the painter has erased holes, on white."""
    if (background[..., 3] == 255).all():
        return background
    return np.dstack([on_white(background), np.full(background.shape[:2], 255, np.uint8)])


def _empty_layer(drawing: Drawing) -> Rgba:
    return np.empty((*drawing.ink.shape, 4), np.uint8)
