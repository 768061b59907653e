"""From the document to a request: frozen copies of its layers, read strip by strip, so that the window never waits.

Nothing here touches the painter's layers, undo history or the "modified" mark.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Sequence, Tuple, Union

from ..event_loop import pause
from ..krita_api.application import KritaApp
from ..krita_api.document import Document
from ..krita_api.pixel_data import Converter, PixelData, Rect, overlap, read_paint
from ..krita_api.result_layers import (
    BACKGROUND,
    FOREGROUND,
    PreviousResult,
    find_newest_result,
    layer_of_role,
    snapshot_layers,
)
from ..libkis import Node, Selection
from ..shared.errors import ErrorCode, LinewashError
from ..shared.model_spec import ModelInfo
from ..shared.protocol import ColorizeRequest, ForegroundSource, replace_parameters
from ..state.choices import Area, DockerState, ForegroundChoice, ForegroundMask
from ..state.model_choices import chosen_values, effective_finish, own_defaults, selected_mode
from .pixel_reader import LayerCopy, collect_strips, copy_layer, read_color, read_gray, read_hints, read_lines

IDLE_CHECKS, IDLE_PAUSE_MS = 100, 20
"""How often, and how far apart, Krita is asked whether it has finished computing before the layers are read anyway."""


@dataclass(frozen=True)
class CapturedMask:
    """One of the masks whose union is the foreground."""

    choice: ForegroundChoice
    """How to read its pixels."""
    name: str
    """Of its layer; '' for the selection."""
    pixels: PixelData


@dataclass(frozen=True)
class CapturedLayers:
    """Everything a job needs of the document: the request, and its images, not yet encoded.  Any thread may read it."""

    request: ColorizeRequest
    lines_id: str
    """Id of the line layer."""
    lines: PixelData
    references: Tuple[Union[PixelData, Path], ...]
    masks: Tuple[CapturedMask, ...]
    """Empty when the foreground is found automatically."""
    hints: Optional[PixelData] = None
    """Strokes of color."""
    selection: Optional[PixelData] = None
    """What to recolor of ``previous``; both are None when everything is colored."""
    previous: Optional[Tuple[PixelData, PixelData]] = None
    """Foreground and background of an earlier result."""


@dataclass(frozen=True)
class GrayMask:
    """A selection, or a mask of a layer: both give one byte a pixel."""

    source: Union[Node, Selection]


@dataclass(frozen=True)
class MaskCopy:
    """A frozen copy of what one mask is read from: something gray, or a layer with colors."""

    choice: ForegroundChoice
    name: str
    """Of its layer; '' for the selection."""
    source: Union[LayerCopy, GrayMask]


def build_request(document: Optional[Document], choices: DockerState, model: Optional[ModelInfo] = None) -> ColorizeRequest:
    """The request these choices make; raises the LinewashError the painter should read when something is missing.

    model: as it describes itself, None when nobody has asked it yet.  What can only be told from pixels (an empty layer, an
    unreadable file) is found out later.
    """
    if document is None or not document.is_open:
        raise LinewashError(ErrorCode.NO_DOCUMENT)
    layers = {layer.id: layer for layer in document.layers()}
    width, height = document.size
    references, recolors = choices.used_references(), choices.area is Area.SELECTION
    mode = selected_mode(choices, model) if model is not None else None
    request = ColorizeRequest(
        width=width,
        height=height,
        references=tuple(reference.role for reference in references),
        foreground=_foreground_source(choices.foreground_masks),
        model=choices.model,
        finish=effective_finish(choices, model),
        seed=choices.seed,
        hints=choices.hints != "",
        selection_mask=recolors,
        previous=recolors,
        mode=mode.name if mode is not None else choices.model_options.mode,
        preparation=choices.lines_as,
    )
    if model is not None:
        request = replace_parameters(request, dict(own_defaults(choices, model), **chosen_values(choices, model)))
    if choices.lines not in layers:
        raise LinewashError(ErrorCode.NO_LINES)
    request = ColorizeRequest.from_json(request.to_json())  # which checks it
    if any(reference.layer_id and reference.layer_id not in layers for reference in references):
        raise LinewashError(ErrorCode.EMPTY_REFERENCE, "its layer was deleted")
    if choices.hints and choices.hints not in layers:
        raise LinewashError(ErrorCode.EMPTY_HINTS, "its layer was deleted")
    if recolors and find_newest_result(document, choices.lines) is None:
        raise LinewashError(ErrorCode.NO_PREVIOUS)
    if recolors and not document.has_selection:
        raise LinewashError(ErrorCode.EMPTY_SELECTION_MASK)
    for mask in choices.foreground_masks:
        if mask.choice is ForegroundChoice.SELECTION and not document.has_selection:
            raise LinewashError(ErrorCode.EMPTY_SELECTION)
        if mask.choice.wants_layer and mask.layer_id not in layers:
            raise LinewashError(ErrorCode.NO_MASK)
    return request


def _foreground_source(masks: Sequence[ForegroundMask]) -> ForegroundSource:
    is_automatic = {mask.choice is ForegroundChoice.AUTOMATIC for mask in masks}
    if len(is_automatic) > 1:
        return ForegroundSource.MASK_AND_AUTOMATIC
    return ForegroundSource.AUTOMATIC if is_automatic == {True} else ForegroundSource.MASK


async def capture_layers(
    app: KritaApp, document: Document, choices: DockerState, request: ColorizeRequest
) -> Tuple[CapturedLayers, Optional[PreviousResult]]:
    """The layers that the request needs, and the result to recolor, None when everything is colored.

    Raises NO_LINES, EMPTY_REFERENCE, EMPTY_HINTS, EMPTY_MASK, EMPTY_SELECTION, NO_PREVIOUS, EMPTY_SELECTION_MASK when something
    was removed meanwhile.
    """
    await _wait_until_idle(document)
    # All copies are made in one step, so that they show one moment of the document.
    sources, canvas = choices.used_references(), (0, 0, request.width, request.height)
    lines = _copy_layer(document, choices.lines, ErrorCode.NO_LINES)
    copies = [_copy_layer(document, each.layer_id, ErrorCode.EMPTY_REFERENCE) if each.layer_id else None for each in sources]
    hints = _copy_layer(document, choices.hints, ErrorCode.EMPTY_HINTS) if choices.hints else None
    chosen = [mask for mask in choices.foreground_masks if mask.choice is not ForegroundChoice.AUTOMATIC]
    mask_copies = [copy_mask(document, mask) for mask in chosen]
    result_layers, selection = _copy_result(document, choices)
    await app.prepare_scratch()
    converter = app.create_converter()
    try:
        # The copies are frozen: the painter may go on while their pixels are read strip by strip.
        line_pixels = await read_lines(app, lines, canvas, converter)
        references: List[Union[PixelData, Path]] = []
        for source, copy in zip(sources, copies):
            if copy is None:
                references.append(Path(source.path))
            else:
                # Only its painted part is sent: where a reference lies on the canvas says nothing.
                bounds = _bounds_of(copy.node)
                references.append(await read_color(app, copy, overlap(bounds, canvas), converter, bounds))
        masks = [await _read_mask(app, mask, canvas, converter) for mask in mask_copies]
        hint_pixels = None if hints is None else await read_hints(app, hints, canvas, converter)
        previous = await _read_result(result_layers, canvas, converter) if result_layers else None
        selected = await read_gray(selection, canvas) if selection is not None else None
    finally:
        converter.close()
    captured = CapturedLayers(
        request=request,
        lines_id=choices.lines,
        lines=line_pixels,
        references=tuple(references),
        masks=tuple(masks),
        hints=hint_pixels,
        selection=selected,
        previous=previous,
    )
    return captured, PreviousResult(tuple(result_layers), selected) if selected is not None else None


async def capture_lines(app: KritaApp, document: Document, layer_id: str) -> PixelData:
    """The pixels of the line layer alone.  Raises NO_LINES."""
    await _wait_until_idle(document)
    lines, canvas = _copy_layer(document, layer_id, ErrorCode.NO_LINES), (0, 0, *document.size)
    await app.prepare_scratch()
    converter = app.create_converter()
    try:
        return await read_lines(app, lines, canvas, converter)
    finally:
        converter.close()


async def capture_reference(app: KritaApp, document: Document, layer_id: str) -> PixelData:
    """The painted part of a reference layer.  EMPTY_REFERENCE when it was deleted."""
    await _wait_until_idle(document)
    source, canvas = _copy_layer(document, layer_id, ErrorCode.EMPTY_REFERENCE), (0, 0, *document.size)
    await app.prepare_scratch()
    converter = app.create_converter()
    try:
        bounds = _bounds_of(source.node)
        return await read_color(app, source, overlap(bounds, canvas), converter, bounds)
    finally:
        converter.close()


async def _wait_until_idle(document: Document) -> None:
    for _ in range(IDLE_CHECKS):
        if document.is_idle:
            break
        await pause(IDLE_PAUSE_MS)


def _copy_layer(document: Document, layer_id: str, missing: ErrorCode) -> LayerCopy:
    copy = copy_layer(document, layer_id)
    if copy is None:
        raise LinewashError(missing, "the layer was deleted")
    return copy


def copy_mask(document: Document, mask: ForegroundMask) -> MaskCopy:
    """A frozen copy of a mask that is not found automatically.  EMPTY_SELECTION or EMPTY_MASK when it is gone."""
    if mask.choice is ForegroundChoice.SELECTION:
        selection = document.copy_selection()
        if selection is None:
            raise LinewashError(ErrorCode.EMPTY_SELECTION)
        return MaskCopy(mask.choice, "", GrayMask(selection))
    layer = next((each for each in document.layers() if each.id == mask.layer_id), None)
    copy = _copy_layer(document, mask.layer_id, ErrorCode.EMPTY_MASK)
    is_gray = layer is not None and layer.is_mask
    return MaskCopy(mask.choice, layer.name if layer is not None else "", GrayMask(copy.node) if is_gray else copy)


async def _read_mask(app: KritaApp, mask: MaskCopy, canvas: Rect, converter: Converter) -> CapturedMask:
    if isinstance(mask.source, GrayMask):
        pixels = await read_gray(mask.source.source, canvas)
    else:
        pixels = await read_color(app, mask.source, canvas, converter, _bounds_of(mask.source.node))
    return CapturedMask(mask.choice, mask.name, pixels)


def _copy_result(document: Document, choices: DockerState) -> Tuple[List[Tuple[str, Node]], Optional[Selection]]:
    """Copies of the layers of the result to recolor, and of the selection; ([], None) when everything is colored."""
    if choices.area is Area.WHOLE:
        return [], None
    group, selection = find_newest_result(document, choices.lines), document.copy_selection()
    if group is None:
        raise LinewashError(ErrorCode.NO_PREVIOUS)
    if selection is None:
        raise LinewashError(ErrorCode.EMPTY_SELECTION_MASK)
    return snapshot_layers(group), selection


def _bounds_of(node: Node) -> Rect:
    """Where a layer has paint; Krita looks at all its pixels for that."""
    bounds = node.bounds()
    return bounds.x(), bounds.y(), bounds.width(), bounds.height()


async def _read_result(layers: List[Tuple[str, Node]], canvas: Rect, converter: Converter) -> Tuple[PixelData, PixelData]:
    """Foreground and background as they are painted."""
    foreground = await collect_strips(read_paint(layer_of_role(layers, FOREGROUND), canvas, converter), canvas, canvas)
    background = await collect_strips(read_paint(layer_of_role(layers, BACKGROUND), canvas, converter), canvas, canvas)
    return foreground, background
