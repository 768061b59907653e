"""From the answer to layers: one group with Foreground above Background, whole or not at all, one undo step.

Where the group goes:

* lines on transparency: directly under the line layer;
* lines on transparency that are the lowest layer: Krita's scripting cannot put anything under the lowest layer.  The group is
  put above and then lowered with Krita's own action, which is a second undo step;
* a drawing on paper: directly above it with blending mode Multiply, so that paper and lines show through.  An earlier result on
  the same paper is hidden, as two would darken each other; ``covers`` shows it again when the new one is undone;
* lines that were looked for in a picture, or turned to black: directly above the line layer, with those lines on top.  Earlier
  results there are hidden, as they would lie over it.

The group is put together in a document of its own, for three reasons seen in Krita 5.1: a group added with several layers in it
shows nothing until the whole picture is computed anew, which blocks the window, but a group that brings what it shows along
appears at once; blending modes and conversions are noted as undo steps even for layers that are nowhere yet; and until the one
call that adds it, the painter's picture knows nothing of it.  Krita makes the group wholly the picture's own when it is added.
"""

import re
from dataclasses import dataclass
from typing import Callable, Iterator, List, Optional, Sequence, Tuple

from ..chunked_task import ChunkedWork
from ..krita_api.document import Document, node_id
from ..krita_api.hidden_results import WrittenGroup
from ..krita_api.libkis import KritaDocument, Node
from ..krita_api.pixel_data import SRGB, ColorSpace, PixelData, space_of, strips
from ..krita_api.result_layers import BACKGROUND, FOREGROUND, LINES, PreviousResult
from ..shared.errors import ErrorCode, LinewashError
from ..shared.result_names import is_result_group

_SELECTED = re.compile(b"[^\\0]+", re.DOTALL)
SETTLE_MS, PATIENCE = 60, 5000
"""Krita makes a new layer the active one a moment later; and how often, that far apart, a thing is waited for."""


@dataclass(frozen=True)
class ResultLayers:
    """A finished job: its layers as strips of BGRA bytes, their size, and where they belong.

    canvas: the size the picture must have.  name: of the group.  paper: whether the line layer is a drawing on paper.  lines:
    the lines that were colored, where it does not show them.
    """

    size: Tuple[int, int]
    canvas: Tuple[int, int]
    name: str
    lines_id: str
    paper: bool
    foreground: Sequence[bytes]
    background: Sequence[bytes]
    lines: Optional[Sequence[bytes]] = None


@dataclass(frozen=True)
class _Place:
    """Where a group goes: into ``parent``, directly above the node ``above``; ``lower``: and then one down.

    covered: earlier results to hide.  outdated: those to fold.
    """

    parent: Node
    above: Node
    blending: str = "normal"
    lower: bool = False
    covered: Tuple[Node, ...] = ()
    outdated: Tuple[Node, ...] = ()


def insert_result(
    picture: Document, answer: ResultLayers, painting: Callable[[], bool], kept: Optional[PreviousResult] = None
) -> ChunkedWork:
    """Steps that put the answer into the picture; they return what was ``WrittenGroup``.

    painting: whether the painter is in the middle of something with the mouse just now.  kept: the earlier result of which the
    answer recolors a selection; the new group is a copy of it with other pixels there and nowhere else.
    Raises, with the picture as it was: DOCUMENT_CLOSED, CANVAS_CHANGED, LAYER_GONE.
    """
    check_place(picture, answer)
    yield from picture.host.prepare()
    bench = picture.host.create_scratch_document()
    try:
        group = yield from _build_group(bench, picture, answer, kept)
        yield from _wait_until_idle(picture, painting)
        check_place(picture, answer)
        place, worked_on = _place(picture, answer), picture.active_layer()
        group.setBlendingMode(place.blending)
        for earlier in place.covered:
            earlier.setVisible(False)
        for earlier in place.outdated:
            earlier.setCollapsed(True)  # else a few results fill the Layers docker
        group_id = node_id(group)
        place.parent.addChildNode(group, place.above)
        if picture.node(group_id) is None:  # Krita's answer is True even then
            for earlier in place.covered:
                earlier.setVisible(True)
            raise LinewashError(ErrorCode.INTERNAL, "Krita did not take the group")
    finally:
        bench.close()
    if place.lower:
        yield from _lower(picture, group_id, answer.lines_id)
    yield from _restore_active_layer(picture, group_id, worked_on)
    return WrittenGroup(group_id, tuple(node_id(earlier) for earlier in place.covered))


def check_place(picture: Document, answer: ResultLayers) -> None:
    """Raise DOCUMENT_CLOSED, CANVAS_CHANGED or LAYER_GONE when the answer has no place in the picture any more."""
    if not picture.is_open:
        raise LinewashError(ErrorCode.DOCUMENT_CLOSED)
    if picture.size != answer.canvas:
        raise LinewashError(ErrorCode.CANVAS_CHANGED, "%s is now %s" % (answer.canvas, picture.size))
    if picture.node(answer.lines_id) is None:
        raise LinewashError(ErrorCode.LAYER_GONE)


def _build_group(bench: KritaDocument, picture: Document, answer: ResultLayers, kept: Optional[PreviousResult]) -> ChunkedWork:
    """The group, computed and filled, in the picture's color space; it belongs to ``bench`` but lies in no document."""
    (width, height), space = answer.size, picture.space
    bench.setColorSpace(*space)
    group, root = bench.createGroupLayer(answer.name), bench.rootNode()
    if root is None:
        raise LinewashError(ErrorCode.INTERNAL, "a scratch document has no root")
    root.addChildNode(group, None)
    yield 0
    bench.resizeImage(0, 0, width, height)
    yield 0
    lowest, *others = yield from (_new(bench, picture, answer) if kept is None else _recolored(picture, answer, kept))
    group.setChildNodes([lowest])
    for node in others:
        yield 0
        group.addChildNode(node, None)  # unlike the call before, this one computes what the group shows
    yield 0
    return group.duplicate()


def _new(bench: KritaDocument, picture: Document, answer: ResultLayers) -> ChunkedWork:
    """The layers of the answer, from bottom to top, as large as ``bench``."""
    made: List[Node] = []
    for name, pixels in ((BACKGROUND, answer.background), (FOREGROUND, answer.foreground), (LINES, answer.lines)):
        if pixels is None:
            continue
        node = bench.createNode(name, "paintlayer")
        yield from _fill(node, picture, pixels, answer.size, picture.space)
        made.append(node)
    return made


def _fill(node: Node, picture: Document, pixels: Sequence[bytes], size: Tuple[int, int], space: ColorSpace) -> ChunkedWork:
    (width, height), converter = size, picture.host.converter()
    try:
        for strip, (top, rows) in zip(pixels, strips(width, height)):
            node.setPixelData(converter.convert(strip, width, rows, SRGB, space), 0, top, width, rows)
            yield 0
    finally:
        converter.close()


def _recolored(picture: Document, answer: ResultLayers, kept: PreviousResult) -> ChunkedWork:
    """The kept layers, from bottom to top, with the answer's pixels where the selection is not 0.

    All others are never converted, so they stay as they are in any color space.
    """
    for role, node in kept.layers:
        if role:
            pixels = answer.foreground if role == FOREGROUND else answer.background
            yield from _fill_selected(node, picture, pixels, kept.selection)
    return [node for _, node in kept.layers]


def _fill_selected(node: Node, picture: Document, pixels: Sequence[bytes], selection: PixelData) -> ChunkedWork:
    width, height, converter, space = selection.width, selection.height, picture.host.converter(), space_of(node)
    try:
        for strip, mask, (top, rows) in zip(pixels, selection.strips, strips(width, height)):
            if mask.count(0) < len(mask):
                new = converter.convert(strip, width, rows, SRGB, space)
                old = bytes(node.pixelData(0, top, width, rows)) or bytes(len(new))
                node.setPixelData(merged(old, new, mask), 0, top, width, rows)
            yield 0
    finally:
        converter.close()


def merged(old: bytes, new: bytes, mask: bytes) -> bytes:
    """Pixels of any number of bytes: the new ones where the mask, one byte a pixel, is not 0."""
    each, result = len(new) // len(mask), bytearray(old)
    for run in _SELECTED.finditer(mask):
        result[run.start() * each : run.end() * each] = new[run.start() * each : run.end() * each]
    return bytes(result)


def _wait_until_idle(picture: Document, painting: Callable[[], bool]) -> ChunkedWork:
    """Wait for a moment in which neither painter nor Krita is busy: adding a layer would end a stroke, and wait for Krita."""
    busy = 0
    while picture.is_open and (painting() or (not picture.is_idle and busy < PATIENCE)):
        busy += 1
        yield SETTLE_MS


def _place(picture: Document, answer: ResultLayers) -> _Place:
    lines = picture.node(answer.lines_id)
    parent = lines.parentNode() if lines is not None else None
    if lines is None or parent is None:
        raise LinewashError(ErrorCode.LAYER_GONE)
    siblings = parent.childNodes()  # from bottom to top
    index = next(i for i, node in enumerate(siblings) if node == lines)
    earlier = tuple(_visible_results(siblings[index + 1 :]))
    if answer.lines is not None:
        return _Place(parent, lines, covered=earlier, outdated=earlier)
    if answer.paper:
        return _Place(parent, lines, "multiply", covered=earlier, outdated=earlier)
    if index > 0:
        below = tuple(_visible_results(siblings[index - 1 :: -1]))
        return _Place(parent, siblings[index - 1], outdated=below[:1])
    if picture.active:
        return _Place(parent, lines, lower=True)
    return _Place(parent, lines, "multiply")  # Krita's action lowers layers of the active picture alone


def _visible_results(siblings: Sequence[Node]) -> Iterator[Node]:
    """Those among the first of these siblings, up to the first other layer."""
    for node in siblings:
        if not (str(node.type()) == "grouplayer" and is_result_group(str(node.name()))):
            return
        if node.visible():
            yield node


def _lower(picture: Document, group_id: str, lines_id: str) -> ChunkedWork:
    """Move the group from directly above the line layer to directly below it."""
    for _ in range(PATIENCE):
        yield SETTLE_MS
        group, lines = picture.node(group_id), picture.node(lines_id)
        parent = group.parentNode() if group is not None else None
        if parent is None or lines is None or parent.childNodes()[0] == group:
            return
        if not picture.active or not picture.is_idle:
            continue
        if picture.active_layer() != group_id:
            picture.activate(group_id)
            continue
        picture.host.trigger_action("move_layer_down")
        yield 4 * SETTLE_MS


def _restore_active_layer(picture: Document, group_id: str, layer_id: str) -> ChunkedWork:
    """Give the painter back the layer they worked on, unless they took another one meanwhile."""
    yield SETTLE_MS
    if picture.is_open and picture.active and picture.active_layer() == group_id:
        picture.activate(layer_id)
