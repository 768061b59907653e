"""Thumbnails of layers, made of a few of their pixels, so that even a huge layer takes a moment only."""

from pathlib import Path
from typing import List

from ..krita_api.application import KritaApp
from ..krita_api.color_space import SRGB, color_space_of
from ..krita_api.document import Document
from ..krita_api.pixel_data import Rect, overlap
from ..libkis import Node
from ..qt import QtCore, QtGui
from .codec import decode_layer, read_file

THUMBNAIL_SIDE = 96
"""Pixels along the longer side."""


def layer_thumbnail(app: KritaApp, document: Document, layer_id: str) -> "QtGui.QImage":
    """A layer as it shows within the canvas, on white; a null image when there is nothing.

    Handles events where it has to convert colors, see ``krita_api/event_calls.py``.  INTERNAL when Krita cannot convert them.
    """
    node = document.copy_layer(layer_id)
    if node is None:
        return QtGui.QImage()
    bounds, size = node.bounds(), document.size
    area = overlap((bounds.x(), bounds.y(), bounds.width(), bounds.height()), (0, 0, size[0], size[1]))
    # Sampled before it is converted: converting a whole layer would stall the window.
    step = max(1, max(area[2], area[3]) // THUMBNAIL_SIDE)
    width, height = area[2] // step, area[3] // step
    if not (width and height):
        return QtGui.QImage()
    data, space = _sample(node, area, step, width, height), color_space_of(node)
    if space != SRGB:
        converter = app.create_converter()
        try:
            data = converter.convert(data, width, height, space, SRGB)
        finally:
            converter.close()
    return _on_white(QtGui.QImage(data, width, height, width * 4, QtGui.QImage.Format.Format_ARGB32))


def file_thumbnail(path: Path) -> "QtGui.QImage":
    """An image file, on white.  Reads the file, so it is called in threads.  LinewashError REFERENCE_UNREADABLE."""
    return _on_white(read_file(path, THUMBNAIL_SIDE))


def png_thumbnail(png: bytes) -> "QtGui.QImage":
    """A PNG made small.  Called in threads.  LinewashError BAD_IMAGE."""
    keep, smooth = QtCore.Qt.AspectRatioMode.KeepAspectRatio, QtCore.Qt.TransformationMode.SmoothTransformation
    return _on_white(decode_layer(png).scaled(THUMBNAIL_SIDE, THUMBNAIL_SIDE, keep, smooth))


def _on_white(image: "QtGui.QImage") -> "QtGui.QImage":
    paper = QtGui.QImage(image.size(), QtGui.QImage.Format.Format_RGB32)
    paper.fill(QtCore.Qt.GlobalColor.white)
    painter = QtGui.QPainter(paper)
    painter.drawImage(0, 0, image)
    painter.end()
    return paper


def _sample(node: Node, area: Rect, step: int, width: int, height: int) -> bytes:
    """Every so many pixels of every so many rows, in the layer's own color space."""
    samples: List[bytes] = []
    for number in range(height):
        row = bytes(node.projectionPixelData(area[0], area[1] + number * step, area[2], 1))
        pixel_bytes = len(row) // area[2]
        samples += [row[column * step * pixel_bytes : (column * step + 1) * pixel_bytes] for column in range(width)]
    return b"".join(samples)
