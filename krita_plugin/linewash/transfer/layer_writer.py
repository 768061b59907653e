"""From the result to layers: one group with Foreground above Background, whole or not at all, one undo step.

Where the group goes:

* lines on transparency: directly under the line layer;
* lines on transparency that are the lowest layer: Krita's scripting cannot put anything under the lowest layer.  The group is
  put above and then lowered with Krita's own action, which is a second undo step;
* a drawing on paper: directly above it with blending mode Multiply, so that paper and lines show through.  An earlier result on
  the same paper is hidden, as two would darken each other; ``HiddenResults`` shows it again when the new one is undone;
* lines that were extracted from an image, or turned to black: directly above the line layer, with those lines on top.  Earlier
  results there are hidden, as they would lie over it.

The group is put together in a document of its own, for three reasons seen in Krita 5.1: a group added with several layers in it
shows nothing until the whole document is computed anew, which blocks the window, but a group that brings its projection along
appears at once; blending modes and conversions are recorded as undo steps even for layers that lie nowhere yet; and until the
one call that adds it, the painter's document knows nothing of it.  Krita makes the group wholly the document's own when it is
added.
"""

import re
from dataclasses import dataclass
from typing import Callable, Iterator, List, Optional, Sequence, Tuple

from ..event_loop import pause
from ..krita_api.application import KritaApp
from ..krita_api.document import Document, is_result_group, node_id
from ..krita_api.hidden_results import WrittenGroup
from ..krita_api.pixel_data import SRGB, ColorSpace, PixelData, color_space_of, strips
from ..krita_api.result_layers import BACKGROUND, FOREGROUND, LINES, PreviousResult
from ..libkis import KritaDocument, Node
from ..shared.errors import ErrorCode, LinewashError

RETRY_MS = 60
"""Pause between two tries; after it, Krita has made a new layer the active one, which it does a moment later."""
MAX_TRIES = 5000
"""How often a condition is tried."""
_SELECTED_RUN = re.compile(b"[^\\0]+", re.DOTALL)


@dataclass(frozen=True)
class ResultLayers:
    """The layers of a finished job as strips of BGRA bytes, and where they belong."""

    size: Tuple[int, int]
    """Width and height of the layers."""
    canvas: Tuple[int, int]
    """The size the document must have."""
    name: str
    """Of the group."""
    lines_id: str
    """Id of the line layer."""
    on_paper: bool
    """Whether the line layer is a drawing on paper."""
    foreground: Sequence[bytes]
    background: Sequence[bytes]
    lines: Optional[Sequence[bytes]] = None
    """The lines that were colored, where the line layer does not show them."""


@dataclass(frozen=True)
class _Place:
    """Where a group goes."""

    parent: Node
    above: Node
    """The node in ``parent`` that it is put directly above."""
    blending: str = "normal"
    move_down: bool = False
    """Whether it then goes one down."""
    hide: Tuple[Node, ...] = ()
    """Earlier results to hide."""
    fold: Tuple[Node, ...] = ()
    """Earlier results to fold in the Layers docker."""


async def insert_result(
    app: KritaApp,
    document: Document,
    result: ResultLayers,
    is_pointer_down: Callable[[], bool],
    previous: Optional[PreviousResult] = None,
) -> WrittenGroup:
    """Put the result into the document.

    is_pointer_down: whether the painter is in the middle of something with the mouse just now.  previous: the earlier result
    of which this one recolors a selection; the new group is a copy of it with other pixels there and nowhere else.
    Raises, with the document as it was: DOCUMENT_CLOSED, CANVAS_CHANGED, LAYER_GONE.
    """
    check_place(document, result)
    await app.prepare_scratch()
    scratch = app.create_scratch_document()
    try:
        group = await _build_group(app, scratch, document, result, previous)
        # The group is built while the painter works on; only putting it in waits for a pause.
        await _wait_until_idle(document, is_pointer_down)
        check_place(document, result)
        # From here to addChildNode there is no await: the document cannot change in between.
        place, active_layer = _find_place(app, document, result), document.active_layer()
        group.setBlendingMode(place.blending)
        for earlier in place.hide:
            earlier.setVisible(False)
        for earlier in place.fold:
            earlier.setCollapsed(True)  # else a few results fill the Layers docker
        group_id = node_id(group)
        place.parent.addChildNode(group, place.above)
        if document.find_node(group_id) is None:  # addChildNode says True even then
            for earlier in place.hide:
                earlier.setVisible(True)
            raise LinewashError(ErrorCode.INTERNAL, "Krita did not take the group")
    finally:
        scratch.close()
    if place.move_down:
        await _move_below_lines(app, document, group_id, result.lines_id)
    await _restore_active_layer(app, document, group_id, active_layer)
    return WrittenGroup(group_id, tuple(node_id(earlier) for earlier in place.hide))


def check_place(document: Document, result: ResultLayers) -> None:
    """Raise DOCUMENT_CLOSED, CANVAS_CHANGED or LAYER_GONE when the result has no place in the document any more."""
    if not document.is_open:
        raise LinewashError(ErrorCode.DOCUMENT_CLOSED)
    if document.size != result.canvas:
        raise LinewashError(ErrorCode.CANVAS_CHANGED, "%s is now %s" % (result.canvas, document.size))
    if document.find_node(result.lines_id) is None:
        raise LinewashError(ErrorCode.LAYER_GONE)


async def _build_group(
    app: KritaApp, scratch: KritaDocument, document: Document, result: ResultLayers, previous: Optional[PreviousResult]
) -> Node:
    """The group, computed and filled, in the document's color space; it belongs to ``scratch`` but lies in no document."""
    (width, height), space = result.size, document.color_space
    scratch.setColorSpace(*space)
    group, root = scratch.createGroupLayer(result.name), scratch.rootNode()
    if root is None:
        raise LinewashError(ErrorCode.INTERNAL, "a scratch document has no root")
    root.addChildNode(group, None)
    await pause()
    # Scratch documents are created small, which is fast; here the layers need their full size.
    scratch.resizeImage(0, 0, width, height)
    await pause()
    if previous is None:
        lowest, *others = await _create_layers(app, scratch, result, space)
    else:
        lowest, *others = await _recolor_layers(app, result, previous)
    group.setChildNodes([lowest])
    for node in others:
        await pause()
        group.addChildNode(node, None)  # unlike setChildNodes, this one computes what the group shows
    await pause()
    return group.duplicate()


async def _create_layers(app: KritaApp, scratch: KritaDocument, result: ResultLayers, space: ColorSpace) -> List[Node]:
    """The layers of the result, from bottom to top, as large as ``scratch``."""
    nodes: List[Node] = []
    for name, pixels in ((BACKGROUND, result.background), (FOREGROUND, result.foreground), (LINES, result.lines)):
        if pixels is None:
            continue
        node = scratch.createNode(name, "paintlayer")
        await _fill(app, node, pixels, result.size, space)
        nodes.append(node)
    return nodes


async def _fill(app: KritaApp, node: Node, pixels: Sequence[bytes], size: Tuple[int, int], space: ColorSpace) -> None:
    (width, height), converter = size, app.create_converter()
    try:
        for strip, (top, rows) in zip(pixels, strips(width, height)):
            node.setPixelData(converter.convert(strip, width, rows, SRGB, space), 0, top, width, rows)
            await pause()
    finally:
        converter.close()


async def _recolor_layers(app: KritaApp, result: ResultLayers, previous: PreviousResult) -> List[Node]:
    """The previous layers, from bottom to top, with the result's pixels where the selection is not 0.

    All other pixels are never converted, so they stay as they are in any color space.
    """
    for role, node in previous.layers:
        if role:
            pixels = result.foreground if role == FOREGROUND else result.background
            await _fill_selected(app, node, pixels, previous.selection)
    return [node for _, node in previous.layers]


async def _fill_selected(app: KritaApp, node: Node, pixels: Sequence[bytes], selection: PixelData) -> None:
    width, height, converter, space = selection.width, selection.height, app.create_converter(), color_space_of(node)
    try:
        for strip, mask, (top, rows) in zip(pixels, selection.strips, strips(width, height)):
            if mask.count(0) < len(mask):
                new = converter.convert(strip, width, rows, SRGB, space)
                old = bytes(node.pixelData(0, top, width, rows)) or bytes(len(new))
                node.setPixelData(merge_pixels(old, new, mask), 0, top, width, rows)
            await pause()
    finally:
        converter.close()


def merge_pixels(old: bytes, new: bytes, mask: bytes) -> bytes:
    """Pixels of any number of bytes: the new ones where the mask, one byte a pixel, is not 0."""
    pixel_bytes, merged = len(new) // len(mask), bytearray(old)
    # Whole runs are copied at once: a loop over single pixels would stall the window.
    for run in _SELECTED_RUN.finditer(mask):
        begin, end = run.start() * pixel_bytes, run.end() * pixel_bytes
        merged[begin:end] = new[begin:end]
    return bytes(merged)


async def _wait_until_idle(document: Document, is_pointer_down: Callable[[], bool]) -> None:
    """Wait until neither painter nor Krita is busy: adding a layer would end a stroke, and wait for Krita."""
    busy = 0
    while document.is_open and (is_pointer_down() or (not document.is_idle and busy < MAX_TRIES)):
        busy += 1
        await pause(RETRY_MS)


def _find_place(app: KritaApp, document: Document, result: ResultLayers) -> _Place:
    lines = document.find_node(result.lines_id)
    parent = lines.parentNode() if lines is not None else None
    if lines is None or parent is None:
        raise LinewashError(ErrorCode.LAYER_GONE)
    siblings = parent.childNodes()  # from bottom to top
    index = next(i for i, node in enumerate(siblings) if node == lines)
    results_above = tuple(_visible_results(siblings[index + 1 :]))
    if result.lines is not None:
        return _Place(parent, lines, hide=results_above, fold=results_above)
    if result.on_paper:
        return _Place(parent, lines, "multiply", hide=results_above, fold=results_above)
    if index > 0:
        results_below = tuple(_visible_results(siblings[index - 1 :: -1]))
        return _Place(parent, siblings[index - 1], fold=results_below[:1])
    # The lines are the lowest layer, and Krita's scripting puts nodes above others only.
    if app.is_active(document):
        return _Place(parent, lines, move_down=True)
    return _Place(parent, lines, "multiply")  # Krita's action lowers layers of the active document alone


def _visible_results(siblings: Sequence[Node]) -> Iterator[Node]:
    """Those among the first of these siblings, up to the first other layer."""
    for node in siblings:
        if not is_result_group(node):
            return
        if node.visible():
            yield node


async def _move_below_lines(app: KritaApp, document: Document, group_id: str, lines_id: str) -> None:
    """Move the group from directly above the line layer to directly below it."""
    for _ in range(MAX_TRIES):
        await pause(RETRY_MS)
        group, lines = document.find_node(group_id), document.find_node(lines_id)
        parent = group.parentNode() if group is not None else None
        if parent is None or lines is None or parent.childNodes()[0] == group:
            return
        if not app.is_active(document) or not document.is_idle:
            continue
        # The action moves the active layer; Krita makes the group active a moment after it is told to.
        if document.active_layer() != group_id:
            document.activate(group_id)
            continue
        app.trigger_action("move_layer_down")
        # Krita acts later: asking again at once would lower the group twice.
        await pause(4 * RETRY_MS)


async def _restore_active_layer(app: KritaApp, document: Document, group_id: str, layer_id: str) -> None:
    """Give the painter back the layer they worked on, unless they took another one meanwhile."""
    await pause(RETRY_MS)
    if document.is_open and app.is_active(document) and document.active_layer() == group_id:
        document.activate(layer_id)
