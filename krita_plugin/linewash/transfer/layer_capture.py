"""From the picture to a request: frozen copies of its layers, read strip by strip, so that the window never waits.

Nothing here touches the painter's layers, undo history or the "modified" mark.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, List, Optional, Tuple, Union

from ..chunked_task import ChunkedWork
from ..krita_api.document import Document
from ..krita_api.libkis import Node, Selection
from ..krita_api.pixel_data import Converter, PixelData, Rect, overlap, read_layer, read_paint, strips
from ..krita_api.result_layers import BACKGROUND, FOREGROUND, PreviousResult, copy_of, find_newest_result, snapshot_layers
from ..shared.errors import ErrorCode, LinewashError
from ..shared.model_spec import ModelInfo
from ..shared.protocol import ColorizeRequest, ForegroundSource, replace_parameters
from ..state.choices import Area, DockerState, ForegroundChoice
from ..state.model_choices import effective_finish, mode_of, own_defaults, values_of

PATIENCE, PAUSE_MS = 100, 20
"""How often, and how far apart, Krita is asked whether it has finished computing before the layers are read anyway."""


@dataclass(frozen=True)
class Captured:
    """Everything a job needs, out of the document: the request, and its pictures not yet packed.

    lines_id: the line layer.  foreground: how to read ``mask``; None is automatic.  hints: spots of color, or
    None.  selection: what to recolor of ``previous``, foreground and background of an earlier result, which is ``kept``; all
    three are None when everything is colored.  ``kept`` is Krita's and for the window's own thread.
    """

    request: ColorizeRequest
    lines_id: str
    lines: PixelData
    references: Tuple[Union[PixelData, Path], ...]
    foreground: ForegroundChoice
    mask: Optional[PixelData]
    hints: Optional[PixelData] = None
    selection: Optional[PixelData] = None
    previous: Optional[Tuple[PixelData, PixelData]] = None
    kept: Optional[PreviousResult] = None


@dataclass(frozen=True)
class GrayMask:
    """A selection, or a mask of a layer: both give one byte a pixel."""

    source: Union[Node, Selection]


def build_request(picture: Optional[Document], choices: DockerState, model: Optional[ModelInfo] = None) -> ColorizeRequest:
    """The request these choices make; raises the LinewashError the painter should read when something is missing.

    model: as it describes itself, None when nobody has asked it yet.  What can only be told from pixels (an empty layer, an
    unreadable file) is found out later.
    """
    if picture is None or not picture.is_open:
        raise LinewashError(ErrorCode.NO_DOCUMENT)
    layers = {layer.id: layer for layer in picture.layers()}
    width, height = picture.size
    used, recolors = choices.used_references(), choices.mode is Area.SELECTION
    mode = mode_of(choices, model) if model is not None else None
    request = ColorizeRequest(
        width=width,
        height=height,
        references=tuple(reference.role for reference in used),
        foreground=ForegroundSource.AUTOMATIC if choices.figure is ForegroundChoice.AUTOMATIC else ForegroundSource.MASK,
        model=choices.model,
        finish=effective_finish(choices, model),
        seed=choices.seed,
        hints=choices.hints != "",
        region=recolors,
        previous=recolors,
        mode=mode.name if mode is not None else choices.chosen.mode,
        preparation=choices.lines_as,
    )
    if model is not None:
        request = replace_parameters(request, dict(own_defaults(choices, model), **values_of(choices, model)))
    if choices.lines not in layers:
        raise LinewashError(ErrorCode.NO_LINES)
    request = ColorizeRequest.from_json(request.to_json())
    if any(reference.layer_id and reference.layer_id not in layers for reference in used):
        raise LinewashError(ErrorCode.EMPTY_REFERENCE, "its layer was deleted")
    if choices.hints and choices.hints not in layers:
        raise LinewashError(ErrorCode.EMPTY_HINTS, "its layer was deleted")
    if recolors and find_newest_result(picture, choices.lines) is None:
        raise LinewashError(ErrorCode.NO_PREVIOUS)
    if recolors and not picture.selected:
        raise LinewashError(ErrorCode.EMPTY_REGION)
    if choices.figure is ForegroundChoice.SELECTION and not picture.selected:
        raise LinewashError(ErrorCode.EMPTY_SELECTION)
    if choices.figure.wants_layer and choices.foreground_layer not in layers:
        raise LinewashError(ErrorCode.EMPTY_MASK, "no layer chosen")
    return request


def capture(picture: Document, choices: DockerState, request: ColorizeRequest) -> ChunkedWork:
    """Steps that return a ``Captured``.  All copies are made in one turn, so they show one moment of the picture."""
    yield from _wait_until_idle(picture)
    used, canvas = choices.used_references(), (0, 0, request.width, request.height)
    lines = _copy(picture, choices.lines, ErrorCode.NO_LINES)
    nodes = [_copy(picture, each.layer_id, ErrorCode.EMPTY_REFERENCE) if each.layer_id else None for each in used]
    hints = _copy(picture, choices.hints, ErrorCode.EMPTY_HINTS) if choices.hints else None
    mask = _mask_source(picture, choices)
    earlier, selection = _previous_result(picture, choices)
    yield from picture.host.prepare()
    converter = picture.host.converter()
    try:
        line_pixels = yield from _read_color(lines, canvas, converter, canvas)
        references: List[Union[PixelData, Path]] = []
        for reference, node in zip(used, nodes):
            if node is None:
                references.append(Path(reference.path))
            else:
                bounds = _bounds(node)
                references.append((yield from _read_color(node, overlap(bounds, canvas), converter, bounds)))
        mask_pixels: Optional[PixelData] = None
        if mask is not None:
            if isinstance(mask, GrayMask):
                mask_pixels = yield from _read_gray(mask.source, canvas)
            else:
                mask_pixels = yield from _read_color(mask, canvas, converter, _bounds(mask))
        hint_pixels = None if hints is None else (yield from _read_color(hints, canvas, converter, canvas))
        previous = (yield from _layers(earlier, canvas, converter)) if earlier else None
        selected = (yield from _read_gray(selection, canvas)) if selection is not None else None
    finally:
        converter.close()
    return Captured(
        request=request,
        lines_id=choices.lines,
        lines=line_pixels,
        references=tuple(references),
        foreground=choices.figure,
        mask=mask_pixels,
        hints=hint_pixels,
        selection=selected,
        previous=previous,
        kept=PreviousResult(tuple(earlier), selected) if selected is not None else None,
    )


def read_lines(picture: Document, layer_id: str) -> ChunkedWork:
    """Steps that return the pixels of the line layer alone.  Raises NO_LINES."""
    yield from _wait_until_idle(picture)
    lines, canvas = _copy(picture, layer_id, ErrorCode.NO_LINES), (0, 0, *picture.size)
    yield from picture.host.prepare()
    converter = picture.host.converter()
    try:
        pixels = yield from _read_color(lines, canvas, converter, canvas)
    finally:
        converter.close()
    return pixels


def _wait_until_idle(picture: Document) -> ChunkedWork:
    for _ in range(PATIENCE):
        if picture.is_idle:
            break
        yield PAUSE_MS


def _previous_result(picture: Document, choices: DockerState) -> Tuple[List[Tuple[str, Node]], Optional[Selection]]:
    """Copies of the layers of the result to recolor, and of the selection; ([], None) when everything is colored."""
    if choices.mode is Area.WHOLE:
        return [], None
    group, selection = find_newest_result(picture, choices.lines), picture.selection()
    if group is None:
        raise LinewashError(ErrorCode.NO_PREVIOUS)
    if selection is None:
        raise LinewashError(ErrorCode.EMPTY_REGION)
    return snapshot_layers(group), selection


def _layers(earlier: List[Tuple[str, Node]], canvas: Rect, converter: Converter) -> ChunkedWork:
    """Foreground and background as they are painted."""
    foreground = yield from _collected(read_paint(copy_of(earlier, FOREGROUND), canvas, converter), canvas, canvas)
    background = yield from _collected(read_paint(copy_of(earlier, BACKGROUND), canvas, converter), canvas, canvas)
    return foreground, background


def _copy(picture: Document, layer_id: str, missing: ErrorCode) -> Node:
    node = picture.copy_of(layer_id)
    if node is None:
        raise LinewashError(missing, "the layer was deleted")
    return node


def _mask_source(picture: Document, choices: DockerState) -> Union[Node, GrayMask, None]:
    """What the mask is read from: a layer with colors, something gray, or None when it is found automatically."""
    if choices.figure is ForegroundChoice.AUTOMATIC:
        return None
    if choices.figure is ForegroundChoice.SELECTION:
        selection = picture.selection()
        if selection is None:
            raise LinewashError(ErrorCode.EMPTY_SELECTION)
        return GrayMask(selection)
    masks = [layer.id for layer in picture.layers() if layer.is_mask]
    node = _copy(picture, choices.foreground_layer, ErrorCode.EMPTY_MASK)
    return GrayMask(node) if choices.foreground_layer in masks else node


def _bounds(node: Node) -> Rect:
    """Where a layer has paint; Krita looks at all its pixels for that."""
    bounds = node.bounds()
    return bounds.x(), bounds.y(), bounds.width(), bounds.height()


def _read_color(node: Node, area: Rect, converter: Converter, bounds: Rect) -> ChunkedWork:
    return _collected(read_layer(node, area, converter), area, bounds)


def _collected(strips_read: Iterator[bytes], area: Rect, bounds: Rect) -> ChunkedWork:
    read: List[bytes] = []
    for strip in strips_read:
        read.append(strip)
        yield 0
    return PixelData(area[2], area[3], 4, tuple(read), bounds)


def _read_gray(source: Union[Node, Selection], canvas: Rect) -> ChunkedWork:
    """A selection, or a mask of a layer, both of which give one byte a pixel."""
    read: List[bytes] = []
    for top, rows in strips(canvas[2], canvas[3]):
        read.append(bytes(source.pixelData(0, top, canvas[2], rows)) or bytes(canvas[2] * rows))
        yield 0
    return PixelData(canvas[2], canvas[3], 1, tuple(read), canvas)
