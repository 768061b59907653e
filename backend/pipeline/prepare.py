"""The first stage: the decoded request becomes ink, mask, regions and references of the right sizes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.contract.drawing import Drawing, Inputs, PreviousResult, Reference
from backend.contract.family import AnyColorModel
from backend.imaging.color import on_white
from backend.imaging.ink import is_empty
from backend.imaging.line_extraction import extract_ink
from backend.imaging.masks import has_real_transparency, is_empty_mask, resize_mask, unite_masks
from backend.imaging.resize import fit, resize
from backend.imaging.segmentation.label_upsampling import upsample_mask
from backend.imaging.segmentation.regions import Segmentation, merge_and_split, segment, snap_mask_to_regions
from backend.imaging.types import Gray, Rgb, Rgba
from backend.pipeline.fixed_regions import fix_hinted_regions, freeze_outside_selection
from shared.errors import ErrorCode, LinewashError
from shared.protocol import ColorizeRequest, ForegroundSource, ReferenceRole

WORKING_SIDE = 1024
"""Longest side of the regions, in pixels."""
MIN_SHORTER_SIDE = 256
"""Regions of a very long canvas are larger than that, so that its shorter side keeps this many pixels."""
REFERENCE_MASK_SIDE = 512
"""Longest side at which the foreground of a reference is guessed; the mask is then enlarged to the reference's own size."""
MAX_REGIONS = 160
"""Regions of a drawing, before hints and selections split them."""

NO_FOREGROUND = "No foreground was found, so everything was colored as background."


def working_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) of the regions for a canvas: longest side 1024, or shorter side 256 if that is more; never enlarged."""
    scale = min(1.0, max(WORKING_SIDE / max(width, height), MIN_SHORTER_SIDE / min(width, height)))
    return max(1, round(width * scale)), max(1, round(height * scale))


@dataclass(frozen=True)
class _Masks:
    """The foreground mask at both sizes."""

    canvas: Gray
    """(H, W)"""
    working: Gray
    """(h, w)"""


def prepare(inputs: Inputs, family: AnyColorModel) -> Drawing:
    """Everything that the model and the last stage need.

    When a selection is colored anew, what would be found is what the foreground was before.  It is united with the mask where
    the request asks for both.

    Raises LinewashError: BAD_IMAGE when the lines are not as large as the request says or the references are not as many;
    EMPTY_LINES, EMPTY_REFERENCE (nothing visible), EMPTY_MASK, EMPTY_HINTS, EMPTY_SELECTION_MASK (nothing selected),
    NO_PREVIOUS; MASK_SIZE, HINTS_SIZE, SELECTION_MASK_SIZE, PREVIOUS_SIZE (not as large as the canvas).
    """
    request = inputs.request
    _check(inputs)
    ink = extract_ink(inputs.lines, request.preparation)
    if is_empty(ink):
        raise LinewashError(ErrorCode.EMPTY_LINES, "no ink in %d x %d" % (request.width, request.height))
    small = resize(ink, *working_size(request.width, request.height))
    segmentation = segment(small, request.gap)
    warnings: tuple[str, ...] = ()
    given = () if inputs.foreground is None else (inputs.foreground,)
    wants_more = not given or request.foreground is ForegroundSource.MASK_AND_AUTOMATIC
    # Another foreground than before would move the edge between the layers outside the selection as well.
    if wants_more and inputs.previous is not None:
        given = (*given, np.ascontiguousarray(inputs.previous.foreground[..., 3]))
    finds = wants_more and inputs.previous is None
    found = (_segment_foreground(segmentation, small, ink, family),) if finds else ()
    masks = _unite([*(_Masks(mask, resize_mask(mask, small.shape[1], small.shape[0])) for mask in given), *found])
    if finds and not masks.working.any():
        warnings = (NO_FOREGROUND,)
    references = tuple(
        _prepare_reference(rgba, role, family) for rgba, role in zip(inputs.references, request.references, strict=True)
    )
    # How masks are found concerns only those for whom one was: for the drawing, or for a reference without transparency.
    if finds or not all(has_real_transparency(rgba) for rgba in inputs.references):
        warnings = (*warnings, *family.mask_warnings)
    regions = merge_and_split(segmentation, masks.working, MAX_REGIONS, request.merging)
    # Hints come after merging, or a hinted part could be merged away; the selection splits what the hints have split.
    regions, fixed = fix_hinted_regions(segmentation.labels, regions, small, inputs.hints)
    if inputs.selection is None or inputs.previous is None:
        return Drawing(ink, masks.canvas, regions, references, warnings, fixed)
    fixed, edit = freeze_outside_selection(segmentation.labels, regions, fixed, inputs.selection, inputs.previous)
    return Drawing(ink, masks.canvas, edit.split.regions, references, warnings, fixed, edit)


def _check(inputs: Inputs) -> None:
    request: ColorizeRequest = inputs.request
    size = (request.height, request.width)
    if inputs.lines.shape != (*size, 4):
        raise LinewashError(ErrorCode.BAD_IMAGE, "lines are %s, the canvas is %s" % (inputs.lines.shape, size))
    if len(inputs.references) != len(request.references):
        raise LinewashError(
            ErrorCode.BAD_IMAGE, "%d references for %d roles" % (len(inputs.references), len(request.references))
        )
    if inputs.foreground is not None:
        if inputs.foreground.shape != size:
            raise LinewashError(ErrorCode.MASK_SIZE, "mask is %s, the canvas is %s" % (inputs.foreground.shape, size))
        if is_empty_mask(inputs.foreground):
            raise LinewashError(ErrorCode.EMPTY_MASK)
    if inputs.hints is not None:
        if inputs.hints.shape != (*size, 4):
            raise LinewashError(ErrorCode.HINTS_SIZE, "hints are %s, the canvas is %s" % (inputs.hints.shape, size))
        if not inputs.hints[..., 3].any():
            raise LinewashError(ErrorCode.EMPTY_HINTS)
    if inputs.selection is not None:
        _check_selection(inputs.selection, inputs.previous, size)
    for number, rgba in enumerate(inputs.references):
        # Less than 8 of 255 cannot be seen.
        if not (rgba[..., 3] >= 8).any():
            raise LinewashError(ErrorCode.EMPTY_REFERENCE, "reference %d is transparent" % number)


def _check_selection(selection: Gray, previous: PreviousResult | None, size: tuple[int, int]) -> None:
    if selection.shape != size:
        raise LinewashError(ErrorCode.SELECTION_MASK_SIZE, "the selection is %s, the canvas is %s" % (selection.shape, size))
    if not selection.any():
        raise LinewashError(ErrorCode.EMPTY_SELECTION_MASK)
    if previous is None:
        raise LinewashError(ErrorCode.NO_PREVIOUS)
    for layer in (previous.foreground, previous.background):
        if layer.shape != (*size, 4):
            raise LinewashError(ErrorCode.PREVIOUS_SIZE, "the previous layer is %s, the canvas is %s" % (layer.shape, size))


def _segment_foreground(segmentation: Segmentation, small: Gray, ink: Gray, family: AnyColorModel) -> _Masks:
    mask = family.segment_drawing(small)
    snapped = snap_mask_to_regions(mask, segmentation.labels, segmentation.count)
    return _Masks(upsample_mask(snapped, ink), snapped)


def _unite(masks: Sequence[_Masks]) -> _Masks:
    return _Masks(unite_masks(*(mask.canvas for mask in masks)), unite_masks(*(mask.working for mask in masks)))


def _prepare_reference(rgba: Rgba, role: ReferenceRole, family: AnyColorModel) -> Reference:
    rgb = fit(on_white(rgba), family.spec.reference_side)
    return Reference(rgb, find_reference_mask(rgba, rgb, family), role, (rgba.shape[0], rgba.shape[1]))


def find_reference_mask(rgba: Rgba, rgb: Rgb, family: AnyColorModel) -> Gray:
    """The foreground of a reference: its transparency, else what is found.  Of the size of ``rgb``, which is it on white."""
    found = np.ascontiguousarray(rgba[..., 3])
    if not has_real_transparency(rgba):
        found = family.segment_reference(fit(rgb, REFERENCE_MASK_SIDE))
    return resize_mask(found, rgb.shape[1], rgb.shape[0])
