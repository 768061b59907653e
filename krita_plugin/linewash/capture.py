"""From the picture to a request: frozen copies of its layers, read strip by strip, so that the window never waits.

Nothing here touches the painter's layers, undo history or the "modified" mark.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, List, Optional, Tuple, Union

from .picture import Picture
from .pixels import Area, Converter, Pixels, overlap, read_layer, strips
from .settings import Choices, ForegroundKind
from .shared.errors import ErrorCode, LinewashError
from .shared.protocol import ColorizeRequest, ForegroundSource
from .turns import Steps

MAX_SEED = 999_999
"""Seeds are drawn up to here: short enough to read in the group's name and to tell someone."""
PATIENCE, PAUSE_MS = 100, 20
"""How often, and how far apart, Krita is asked whether it has finished computing before the layers are read anyway."""


@dataclass(frozen=True)
class Captured:
    """Everything a job needs, out of the document: the request, and its pictures not yet packed.

    lines_id: the line layer.  foreground: how to read ``mask``; None is automatic.
    """

    request: ColorizeRequest
    lines_id: str
    lines: Pixels
    references: Tuple[Union[Pixels, Path], ...]
    foreground: ForegroundKind
    mask: Optional[Pixels]


def check(picture: Optional[Picture], choices: Choices) -> ColorizeRequest:
    """The request these choices make; raises the LinewashError the painter should read when something is missing.

    What can only be told from pixels (an empty layer, an unreadable file) is found out later.
    """
    if picture is None or not picture.open:
        raise LinewashError(ErrorCode.NO_DOCUMENT)
    layers = {layer.id: layer for layer in picture.layers()}
    width, height = picture.size
    used = choices.used_references()
    request = ColorizeRequest(
        width=width,
        height=height,
        references=tuple(reference.role for reference in used),
        foreground=ForegroundSource.AUTOMATIC if choices.foreground is ForegroundKind.AUTOMATIC else ForegroundSource.MASK,
        finish=choices.finish,
        seed=secrets.randbelow(MAX_SEED) + 1,
    )
    if choices.lines not in layers:
        raise LinewashError(ErrorCode.NO_LINES)
    request = ColorizeRequest.from_json(request.to_json())
    if any(reference.layer_id and reference.layer_id not in layers for reference in used):
        raise LinewashError(ErrorCode.EMPTY_REFERENCE, "its layer was deleted")
    if choices.foreground is ForegroundKind.SELECTION and not picture.selected:
        raise LinewashError(ErrorCode.EMPTY_SELECTION)
    if choices.foreground.wants_layer and choices.foreground_layer not in layers:
        raise LinewashError(ErrorCode.EMPTY_MASK, "no layer chosen")
    return request


def capture(picture: Picture, choices: Choices, request: ColorizeRequest) -> Steps:
    """Steps that return a ``Captured``.  All copies are made in one turn, so they show one moment of the picture."""
    for _ in range(PATIENCE):
        if picture.quiet:
            break
        yield PAUSE_MS
    used, canvas = choices.used_references(), (0, 0, request.width, request.height)
    lines = _copy(picture, choices.lines, ErrorCode.NO_LINES)
    nodes = [_copy(picture, each.layer_id, ErrorCode.EMPTY_REFERENCE) if each.layer_id else None for each in used]
    mask, mask_is_grey = _mask_source(picture, choices)
    yield from picture.host.prepare()
    converter = picture.host.converter()
    try:
        line_pixels = yield from _colours(lines, canvas, converter, canvas)
        references: List[Union[Pixels, Path]] = []
        for reference, node in zip(used, nodes):
            if node is None:
                references.append(Path(reference.path))
            else:
                bounds = _bounds(node)
                references.append((yield from _colours(node, overlap(bounds, canvas), converter, bounds)))
        mask_pixels: Optional[Pixels] = None
        if mask is not None:
            bounds = canvas if mask_is_grey else _bounds(mask)
            mask_pixels = yield from (_greys(mask, canvas) if mask_is_grey else _colours(mask, canvas, converter, bounds))
    finally:
        converter.close()
    return Captured(request, choices.lines, line_pixels, tuple(references), choices.foreground, mask_pixels)


def _copy(picture: Picture, layer_id: str, missing: ErrorCode) -> Any:
    node = picture.copy_of(layer_id)
    if node is None:
        raise LinewashError(missing, "the layer was deleted")
    return node


def _mask_source(picture: Picture, choices: Choices) -> Tuple[Any, bool]:
    """What the mask is read from (None: automatic), and whether it has one grey byte a pixel rather than colours."""
    if choices.foreground is ForegroundKind.AUTOMATIC:
        return None, False
    if choices.foreground is ForegroundKind.SELECTION:
        selection = picture.selection()
        if selection is None:
            raise LinewashError(ErrorCode.EMPTY_SELECTION)
        return selection, True
    masks = [layer.id for layer in picture.layers() if layer.is_mask]
    return _copy(picture, choices.foreground_layer, ErrorCode.EMPTY_MASK), choices.foreground_layer in masks


def _bounds(node: Any) -> Area:
    """Where a layer has paint; Krita looks at all its pixels for that."""
    bounds = node.bounds()
    return bounds.x(), bounds.y(), bounds.width(), bounds.height()


def _colours(node: Any, area: Area, converter: Converter, bounds: Area) -> Steps:
    read: List[bytes] = []
    for strip in read_layer(node, area, converter):
        read.append(strip)
        yield 0
    return Pixels(area[2], area[3], 4, tuple(read), bounds)


def _greys(source: Any, canvas: Area) -> Steps:
    """A selection, or a mask of a layer, both of which give one byte a pixel."""
    read: List[bytes] = []
    for top, rows in strips(canvas[2], canvas[3]):
        read.append(bytes(source.pixelData(0, top, canvas[2], rows)) or bytes(canvas[2] * rows))
        yield 0
    return Pixels(canvas[2], canvas[3], 1, tuple(read), canvas)
