"""Small pictures of layers, made of a few of their pixels, so that even a huge layer takes a moment only."""

from pathlib import Path

from ..krita_api.document import Document
from ..krita_api.libkis import Node
from ..krita_api.pixel_data import SRGB, Rect, overlap, space_of
from ..qt import QtCore, QtGui
from .codec import read_file

SIDE = 96
"""Pixels along the longer side."""


def layer_thumbnail(picture: Document, layer_id: str) -> "QtGui.QImage":
    """A layer as it shows within the canvas, on white; a null image when there is nothing."""
    node = picture.copy_of(layer_id)
    if node is None:
        return QtGui.QImage()
    bounds, size = node.bounds(), picture.size
    area = overlap((bounds.x(), bounds.y(), bounds.width(), bounds.height()), (0, 0, size[0], size[1]))
    step = max(1, max(area[2], area[3]) // SIDE)
    width, height = area[2] // step, area[3] // step
    if not (width and height):
        return QtGui.QImage()
    data, space = _sampled(node, area, step, width, height), space_of(node)
    if space != SRGB:
        converter = picture.host.converter()
        data = converter.convert(data, width, height, space, SRGB)
        converter.close()
    return _on_white(QtGui.QImage(data, width, height, width * 4, QtGui.QImage.Format.Format_ARGB32))


def file_thumbnail(path: Path) -> "QtGui.QImage":
    """A picture file, on white.  Reads the file, so it is called in worker threads.  LinewashError when it is no picture."""
    return _on_white(read_file(path, SIDE))


def _on_white(image: "QtGui.QImage") -> "QtGui.QImage":
    paper = QtGui.QImage(image.size(), QtGui.QImage.Format.Format_RGB32)
    paper.fill(QtCore.Qt.GlobalColor.white)
    painter = QtGui.QPainter(paper)
    painter.drawImage(0, 0, image)
    painter.end()
    return paper


def _sampled(node: Node, area: Rect, step: int, width: int, height: int) -> bytes:
    picked = []
    for number in range(height):
        row = bytes(node.projectionPixelData(area[0], area[1] + number * step, area[2], 1))
        each = len(row) // area[2]
        picked += [row[column * step * each : (column * step + 1) * each] for column in range(width)]
    return b"".join(picked)
