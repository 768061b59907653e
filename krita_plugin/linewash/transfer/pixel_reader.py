"""The pixels of frozen copies, read strip by strip with pauses, so that the painter may go on meanwhile."""

from dataclasses import dataclass, replace
from typing import Any, Callable, Coroutine, Iterator, List, Optional, Union

from ..event_loop import pause
from ..krita_api.application import KritaApp
from ..krita_api.color_space import ColorSpace
from ..krita_api.colorize_masks import KeyStrokeMask, hide_colorize_masks, read_key_strokes
from ..krita_api.document import Document
from ..krita_api.pixel_data import STRIP_PIXELS, Converter, PixelData, Rect, read_layer, strips
from ..libkis import Node, Selection
from ..shared.errors import ErrorCode, LinewashError

TILE_STRIPS = 8
"""Strips of a layer that Krita computes in one step."""

VisitTile = Callable[[Node, int, int], Coroutine[Any, Any, None]]
"""Takes the layer, whose upper left corner is the tile's, the tile's first row in the area and its number of rows."""


@dataclass(frozen=True)
class LayerCopy:
    """A frozen copy of a layer, in no document."""

    node: Node
    space: ColorSpace
    """Of the document that it is a copy from."""
    is_computed: bool
    """Whether it shows what it should.  Krita computes a layer with masks only while the layer is visible, a copy never."""


def copy_layer(document: Document, layer_id: str) -> Optional[LayerCopy]:
    """A frozen copy of a layer as it is now; None when it is not there (any more)."""
    node = document.copy_layer(layer_id)
    if node is None:
        return None
    return LayerCopy(node, document.color_space, is_computed=not node.childNodes() or document.shows(layer_id))


async def collect_strips(strips_of_area: Iterator[bytes], area: Rect, bounds: Rect) -> PixelData:
    """All strips of an area of colors; bounds: where the layer has paint."""
    collected: List[bytes] = []
    for strip in strips_of_area:
        collected.append(strip)
        await pause()
    return PixelData(area[2], area[3], 4, tuple(collected), bounds)


async def read_color(app: KritaApp, copy: LayerCopy, area: Rect, converter: Converter, bounds: Rect) -> PixelData:
    """What an area of a layer shows, with its masks."""
    if copy.is_computed:
        return await collect_strips(read_layer(copy.node, area, converter), area, bounds)
    collected: List[bytes] = []

    async def collect(node: Node, _: int, rows: int) -> None:
        place = (0, 0, area[2], rows)
        collected.extend((await collect_strips(read_layer(node, place, converter), place, bounds)).strips)

    await compute_tiles(app, copy, area, collect)
    return PixelData(area[2], area[3], 4, tuple(collected), bounds)


async def compute_tiles(app: KritaApp, copy: LayerCopy, area: Rect, visit: VisitTile) -> None:
    """Let Krita compute an area of a copy, which is of no use afterwards, tile by tile from top to bottom."""
    scratch = app.create_scratch_document()
    try:
        app.event_calls.convert_document(scratch, copy.space)
        root, (x, y, width, height) = scratch.rootNode(), area
        if root is None:
            raise LinewashError(ErrorCode.INTERNAL, "a scratch document has no root")
        copy.node.setVisible(True)  # else nothing of it is computed
        app.event_calls.add_child_node(root, copy.node, None)
        # Krita computes what lies on a document's canvas and waits for it.  So the canvas is one tile, which moves downwards.
        tile_rows = TILE_STRIPS * max(1, STRIP_PIXELS // max(1, width))
        for top in range(0, height, tile_rows):
            await pause()
            rows = min(tile_rows, height - top)
            app.event_calls.move_canvas(scratch, *((0, tile_rows) if top else (x, y)), width, rows)
            await pause()
            app.event_calls.refresh_projection(scratch)
            await visit(scratch.topLevelNodes()[-1], top, rows)
    finally:
        app.event_calls.close_document(scratch)


async def read_lines(app: KritaApp, copy: LayerCopy, canvas: Rect, converter: Converter) -> PixelData:
    """What the line layer shows without its colorize masks: their colors are no lines, and would hide where paper is."""
    has_hidden = hide_colorize_masks(copy.node)
    lines = replace(copy, is_computed=copy.is_computed and not has_hidden)
    return await read_color(app, lines, canvas, converter, canvas)


async def read_hints(app: KritaApp, copy: LayerCopy, canvas: Rect, converter: Converter) -> PixelData:
    """Strokes of color: what a layer shows, or the key strokes of a colorize mask."""
    if isinstance(copy.node, KeyStrokeMask):
        return await collect_strips(read_key_strokes(copy.node, canvas, app.event_calls), canvas, canvas)
    return await read_color(app, copy, canvas, converter, canvas)


async def read_gray(source: Union[Node, Selection], canvas: Rect) -> PixelData:
    """A selection, or a mask of a layer, both of which give one byte a pixel."""
    collected: List[bytes] = []
    for top, rows in strips(canvas[2], canvas[3]):
        collected.append(bytes(source.pixelData(0, top, canvas[2], rows)) or bytes(canvas[2] * rows))
        await pause()
    return PixelData(canvas[2], canvas[3], 1, tuple(collected), canvas)
