"""From the result to layers: one group with Foreground above Background, whole or not at all, one undo step.

Where the group goes:

* lines on transparency: directly under the line layer;
* lines on transparency that are the lowest layer: Krita's scripting cannot put anything under the lowest layer.  The group is
  put above and then lowered with Krita's own action, which is a second undo step;
* a drawing on paper: directly above it with blending mode Multiply, so that paper and lines show through.  An earlier result on
  the same paper is hidden, as two would darken each other; ``HiddenResults`` shows it again when the new one is undone;
* lines that were extracted from an image, or turned to black: directly above the line layer, with those lines on top.  Earlier
  results there are hidden, as they would lie over it.

The group is put together in a document of its own (``group_builder.py``) and added by one call.
"""

from dataclasses import dataclass
from typing import Callable, Iterator, Optional, Sequence, Tuple

from ..event_loop import pause
from ..krita_api.application import KritaApp
from ..krita_api.color_space import ColorSpace
from ..krita_api.document import Document, is_result_group, node_id
from ..krita_api.hidden_results import WrittenGroup
from ..krita_api.result_layers import PreviousResult
from ..libkis import Node
from ..shared.errors import ErrorCode, LinewashError
from .group_builder import ResultLayers, build_group

RETRY_MS = 60
"""Pause between two tries; after it, Krita has made a new layer the active one, which it does a moment later."""
MAX_TRIES = 5000
"""How often a condition is tried."""
MAX_CHANGES = 8
"""How often a place is looked for when the document changes just while the group is added."""


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


@dataclass(frozen=True)
class _Added:
    """A group that is in the document now."""

    group_id: str
    place: _Place
    hidden: Tuple[str, ...]
    """Ids of the earlier results that were hidden."""
    active_layer: str
    """Id of the layer that was active before."""


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
    for _ in range(MAX_CHANGES):
        added = await _build_and_add(app, document, result, is_pointer_down, previous)
        if added is not None:
            break
    else:
        raise LinewashError(ErrorCode.INTERNAL, "the document was converted again and again")
    if added.place.move_down:
        await _move_below_lines(app, document, added.group_id, result.lines_id)
    await _restore_active_layer(app, document, added.group_id, added.active_layer)
    return WrittenGroup(added.group_id, added.hidden)


async def _build_and_add(
    app: KritaApp,
    document: Document,
    result: ResultLayers,
    is_pointer_down: Callable[[], bool],
    previous: Optional[PreviousResult],
) -> Optional[_Added]:
    """Build the group in the document's color space and add it; None when the painter has converted the document meanwhile."""
    check_place(document, result)
    space = document.color_space
    await app.prepare_scratch()
    scratch = app.create_scratch_document()
    try:
        group = await build_group(app, scratch, space, result, previous)
        return await _add_group(app, document, result, group, space, is_pointer_down)
    finally:
        app.event_calls.close_document(scratch)


def check_place(document: Document, result: ResultLayers) -> None:
    """Raise DOCUMENT_CLOSED, CANVAS_CHANGED or LAYER_GONE when the result has no place in the document any more."""
    if not document.is_open:
        raise LinewashError(ErrorCode.DOCUMENT_CLOSED)
    if document.size != result.canvas:
        raise LinewashError(ErrorCode.CANVAS_CHANGED, "%s is now %s" % (result.canvas, document.size))
    if document.find_node(result.lines_id) is None:
        raise LinewashError(ErrorCode.LAYER_GONE)


async def _add_group(
    app: KritaApp,
    document: Document,
    result: ResultLayers,
    group: Node,
    space: ColorSpace,
    is_pointer_down: Callable[[], bool],
) -> Optional[_Added]:
    """Add the finished group in a pause of the painter's; None when the document is not in ``space`` any more."""
    group_id, blending = node_id(group), str(group.blendingMode())
    for _ in range(MAX_CHANGES):
        await _wait_until_idle(document, is_pointer_down)
        check_place(document, result)
        if document.color_space != space:
            return None
        place, active_layer = _find_place(app, document, result), document.active_layer()
        if blending != place.blending:
            blending = place.blending
            app.event_calls.set_blending_mode(group, blending)
            continue  # what was found above may be gone
        for earlier in place.hide:
            earlier.setVisible(False)
        for earlier in place.fold:
            earlier.setCollapsed(True)  # else a few results fill the Layers docker
        hidden = tuple(map(node_id, place.hide))
        app.event_calls.add_child_node(place.parent, group, place.above)
        if document.find_node(group_id) is not None:
            return _Added(group_id, place, hidden, active_layer)
        # What it was to lie beside went in the last moment.
        for earlier in filter(None, map(document.find_node, hidden)):
            earlier.setVisible(True)
    raise LinewashError(ErrorCode.INTERNAL, "Krita did not take the group")


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
