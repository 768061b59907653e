"""A small image of the foreground that several masks make together, over the lines.

Of each layer a few rows are read, one after the other, so that even a huge canvas never holds the window up.
"""

from typing import List, Sequence, Union

from ..event_loop import pause
from ..images.codec import image_strips
from ..images.foreground_masks import on_black, unite_masks
from ..krita_api.document import Document
from ..libkis import Node, Selection
from ..qt import QtCore, QtGui
from ..shared.errors import LinewashError
from ..state.choices import ForegroundChoice, ForegroundMask
from .layer_capture import GrayMask, MaskCopy, copy_mask
from .layer_digest import sampled_rows
from .layer_sample import LayerSampler, Size, scale_image
from .pixel_reader import LayerCopy, copy_layer

PREVIEW_SIZE = (144, 96)
"""Largest width and height, pixels."""
FOREGROUND_COLOR = (120, 170, 255)
"""What the foreground is tinted with; lines stay black on it."""
_LINE_LAYERS = 3
"""How often the lines are drawn over each other: made this small, they would be pale."""
_ARGB, _GRAY = QtGui.QImage.Format.Format_ARGB32, QtGui.QImage.Format.Format_Grayscale8


async def make_foreground_preview(
    sampler: LayerSampler, document: Document, lines_id: str, masks: Sequence[ForegroundMask]
) -> "QtGui.QImage":
    """The lines on white, tinted where the masks that are not found automatically say foreground.

    Masks without a layer, and whatever was deleted, are left out.
    """
    canvas, lines = document.size, copy_layer(document, lines_id)
    copies = [copy for copy in (_copy(document, mask) for mask in masks) if copy is not None]
    size = _fit(canvas)
    grays = [await _sample_mask(sampler, copy, canvas, size) for copy in copies]
    drawn = [] if lines is None else [await _sample_colors(sampler, lines, canvas, size)] * _LINE_LAYERS
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


async def _sample_mask(sampler: LayerSampler, mask: MaskCopy, canvas: Size, size: Size) -> "QtGui.QImage":
    if isinstance(mask.source, GrayMask):
        return await _sample_gray(mask.source.source, canvas, size)
    colors = await _sample_colors(sampler, mask.source, canvas, size)
    if mask.choice is not ForegroundChoice.ALPHA:
        return on_black(colors)
    alpha = b"".join(image_strips(colors))[3::4]
    return QtGui.QImage(alpha, *size, size[0], _GRAY).copy()


async def _sample_gray(source: Union[Node, Selection], canvas: Size, size: Size) -> "QtGui.QImage":
    rows: List[bytes] = []
    for top in sampled_rows(canvas[1]):
        rows.append(bytes(source.pixelData(0, top, canvas[0], 1)) or bytes(canvas[0]))
        await pause()
    return scale_image(QtGui.QImage(b"".join(rows), canvas[0], len(rows), canvas[0], _GRAY), size)


async def _sample_colors(sampler: LayerSampler, copy: LayerCopy, canvas: Size, size: Size) -> "QtGui.QImage":
    return scale_image(await sampler.sample(copy, canvas, (0, 0, *canvas)), size)


def _tint(mask: "QtGui.QImage") -> "QtGui.QImage":
    tinted = QtGui.QImage(mask.size(), _ARGB)
    tinted.fill(QtGui.QColor(*FOREGROUND_COLOR))
    tinted.setAlphaChannel(mask)
    return tinted
