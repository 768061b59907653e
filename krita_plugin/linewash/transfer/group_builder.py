"""The group of a result, put together in a scratch document.

For three reasons seen in Krita 5.1: a group added with several layers in it shows nothing until the whole document is computed
anew, which blocks the window, but a group that brings its projection along appears at once; blending modes and conversions are
recorded as undo steps even for layers that lie nowhere yet; and until the one call that adds it, the painter's document knows
nothing of it.  Krita makes the group wholly the document's own when it is added.
"""

from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

from ..event_loop import pause
from ..krita_api.application import KritaApp
from ..krita_api.color_space import SRGB, ColorSpace, color_space_of
from ..krita_api.pixel_data import PixelData, merge_pixels, strips, write_pixels
from ..krita_api.result_layers import BACKGROUND, FOREGROUND, LINES, PreviousResult
from ..libkis import KritaDocument, Node
from ..shared.errors import ErrorCode, LinewashError


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

    @property
    def lies_over_lines(self) -> bool:
        """Whether the group goes above the line layer, and not below."""
        return self.on_paper or self.lines is not None


async def build_group(
    app: KritaApp, scratch: KritaDocument, space: ColorSpace, result: ResultLayers, previous: Optional[PreviousResult]
) -> Node:
    """The group, computed and filled, in a color space; it belongs to ``scratch`` but lies in no document.

    previous: the result that is recolored; the group is a copy of it with other pixels in the selection.
    """
    calls = app.event_calls
    calls.convert_document(scratch, space)
    group, root = scratch.createGroupLayer(result.name), scratch.rootNode()
    if root is None:
        raise LinewashError(ErrorCode.INTERNAL, "a scratch document has no root")
    calls.add_child_node(root, group, None)
    await pause()
    # Scratch documents are created small, which is fast; here the layers need their full size.
    calls.resize_canvas(scratch, *result.size)
    await pause()
    if previous is None:
        lowest, *others = await _create_layers(app, scratch, result, space)
    else:
        lowest, *others = await _recolor_layers(app, result, previous, space)
    group.setChildNodes([lowest])
    for node in others:
        await pause()
        calls.add_child_node(group, node, None)  # unlike setChildNodes, this one computes what the group shows
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
            write_pixels(node, converter.convert(strip, width, rows, SRGB, space), (0, top, width, rows))
            await pause()
    finally:
        converter.close()


async def _recolor_layers(app: KritaApp, result: ResultLayers, previous: PreviousResult, space: ColorSpace) -> List[Node]:
    """Copies of the previous layers, from bottom to top, with the result's pixels where the selection is not 0.

    All other pixels are converted only where the painter has converted the document since; else they stay as they are in any
    color space.
    """
    nodes: List[Node] = []
    for role, kept in previous.layers:
        node = kept.duplicate()  # what was kept is needed again when the document is converted meanwhile
        _convert(app, node, space)
        if role:
            pixels = result.foreground if role == FOREGROUND else result.background
            await _fill_selected(app, node, pixels, previous.selection)
        nodes.append(node)
        await pause()
    return nodes


def _convert(app: KritaApp, node: Node, space: ColorSpace) -> None:
    """Convert a layer and all layers in it; masks have no colors.  Krita converts a layer as a whole or not at all."""
    if str(node.type()).endswith("layer") and color_space_of(node) != space:
        app.event_calls.convert_layer(node, space)
    for child in node.childNodes():
        _convert(app, child, space)


async def _fill_selected(app: KritaApp, node: Node, pixels: Sequence[bytes], selection: PixelData) -> None:
    width, height, converter, space = selection.width, selection.height, app.create_converter(), color_space_of(node)
    try:
        for strip, mask, (top, rows) in zip(pixels, selection.strips, strips(width, height)):
            if mask.count(0) < len(mask):
                new = converter.convert(strip, width, rows, SRGB, space)
                old = bytes(node.pixelData(0, top, width, rows)) or bytes(len(new))
                write_pixels(node, merge_pixels(old, new, mask), (0, top, width, rows))
            await pause()
    finally:
        converter.close()
