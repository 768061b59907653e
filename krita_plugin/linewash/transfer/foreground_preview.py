"""A small image of the foreground that several masks make together, over the lines.

Of each layer a few rows are read, one after the other, so that even a huge canvas never holds the window up.
"""

from typing import List, Sequence, Tuple, Union

from ..event_loop import pause
from ..images.codec import image_strips
from ..images.foreground_masks import on_black, unite_masks
from ..krita_api.application import KritaApp
from ..krita_api.color_space import SRGB, color_space_of
from ..krita_api.document import Document
from ..libkis import Node, Selection
from ..qt import QtCore, QtGui
from ..shared.errors import LinewashError
from ..state.choices import ForegroundChoice, ForegroundMask
from .layer_capture import GrayMask, MaskCopy, copy_mask

PREVIEW_SIZE = (144, 96)
"""Largest width and height, pixels."""
ROWS = 192
"""How many rows of a layer are read at most."""
FOREGROUND_COLOR = (120, 170, 255)
"""What the foreground is tinted with; lines stay black on it."""
_LINE_LAYERS = 3
"""How often the lines are drawn over each other: made this small, they would be pale."""
_ARGB, _GRAY = QtGui.QImage.Format.Format_ARGB32, QtGui.QImage.Format.Format_Grayscale8
Size = Tuple[int, int]


async def make_foreground_preview(
    app: KritaApp, document: Document, lines_id: str, masks: Sequence[ForegroundMask]
) -> "QtGui.QImage":
    """The lines on white, tinted where the masks that are not found automatically say foreground.

    Masks without a layer, and whatever was deleted, are left out.
    """
    canvas = document.size
    lines = document.copy_layer(lines_id)
    copies = [copy for copy in (_copy(document, mask) for mask in masks) if copy is not None]
    size = _fit(canvas)
    grays = [await _sample_mask(app, copy, canvas, size) for copy in copies]
    drawn = [] if lines is None else [await _sample_colors(app, lines, canvas, size)] * _LINE_LAYERS
    paper = QtGui.QImage(*size, QtGui.QImage.Format.Format_RGB32)
    paper.fill(QtCore.Qt.GlobalColor.white)
    painter = QtGui.QPainter(paper)
    if grays:
        painter.drawImage(0, 0, _tint(unite_masks(grays)))
    painter.setCompositionMode(QtGui.QPainter.CompositionMode.CompositionMode_Multiply)
    for image in drawn:
        painter.drawImage(0, 0, image)
    painter.end()
    return paper


def _copy(document: Document, mask: ForegroundMask) -> "Union[MaskCopy, None]":
    if mask.choice is ForegroundChoice.AUTOMATIC or (mask.choice.wants_layer and not mask.layer_id):
        return None
    try:
        return copy_mask(document, mask)
    except LinewashError:
        return None  # what is missing is said when the drawing is to be colored


def _fit(canvas: Size) -> Size:
    size = QtCore.QSize(*canvas).scaled(QtCore.QSize(*PREVIEW_SIZE), QtCore.Qt.AspectRatioMode.KeepAspectRatio)
    return max(1, size.width()), max(1, size.height())


async def _sample_mask(app: KritaApp, mask: MaskCopy, canvas: Size, size: Size) -> "QtGui.QImage":
    if isinstance(mask.source, GrayMask):
        return await _sample_gray(mask.source.source, canvas, size)
    colors = await _sample_colors(app, mask.source.node, canvas, size)
    if mask.choice is not ForegroundChoice.ALPHA:
        return on_black(colors)
    alpha = b"".join(image_strips(colors))[3::4]
    return QtGui.QImage(alpha, *size, size[0], _GRAY).copy()


async def _sample_gray(source: Union[Node, Selection], canvas: Size, size: Size) -> "QtGui.QImage":
    rows: List[bytes] = []
    for top in _sampled_rows(canvas[1]):
        rows.append(bytes(source.pixelData(0, top, canvas[0], 1)) or bytes(canvas[0]))
        await pause()
    return _scale(QtGui.QImage(b"".join(rows), canvas[0], len(rows), canvas[0], _GRAY), size)


async def _sample_colors(app: KritaApp, node: Node, canvas: Size, size: Size) -> "QtGui.QImage":
    """Handles events where it has to convert colors, see ``krita_api/event_calls.py``."""
    space, width = color_space_of(node), canvas[0]
    rows: List[bytes] = []
    step = 1 if space == SRGB else max(1, width // ROWS)  # converting whole rows would stall the window
    for top in _sampled_rows(canvas[1]):
        row = bytes(node.projectionPixelData(0, top, width, 1))
        rows.append(row if step == 1 else _every_pixel_of(row, width, step))
        await pause()
    data, width = b"".join(rows), -(-width // step)
    if not data:  # a layer that holds nothing at all
        data = bytes(width * len(rows) * 4)
    elif space != SRGB:
        converter = app.create_converter()
        try:
            data = converter.convert(data, width, len(rows), space, SRGB)
        finally:
            converter.close()
        await pause()
    return _scale(QtGui.QImage(data, width, len(rows), width * 4, _ARGB), size)


def _every_pixel_of(row: bytes, width: int, step: int) -> bytes:
    """Every so many pixels of a row."""
    pixel_bytes = len(row) // width
    return b"".join(row[left * pixel_bytes : (left + 1) * pixel_bytes] for left in range(0, width, step))


def _sampled_rows(height: int) -> Sequence[int]:
    return range(0, height, max(1, -(-height // ROWS)))


def _scale(image: "QtGui.QImage", size: Size) -> "QtGui.QImage":
    ignore, smooth = QtCore.Qt.AspectRatioMode.IgnoreAspectRatio, QtCore.Qt.TransformationMode.SmoothTransformation
    return image.scaled(*size, ignore, smooth).convertToFormat(image.format()).copy()


def _tint(mask: "QtGui.QImage") -> "QtGui.QImage":
    tinted = QtGui.QImage(mask.size(), _ARGB)
    tinted.fill(QtGui.QColor(*FOREGROUND_COLOR))
    tinted.setAlphaChannel(mask)
    return tinted
