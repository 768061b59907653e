"""Thumbnails of references."""

from pathlib import Path

from ..qt import QtCore, QtGui
from .codec import decode_layer, read_file

THUMBNAIL_SIDE = 96
"""Pixels along the longer side."""


def file_thumbnail(path: Path) -> "QtGui.QImage":
    """An image file, on white.  Reads the file, so it is called in threads.  LinewashError REFERENCE_UNREADABLE."""
    return on_white(read_file(path, THUMBNAIL_SIDE))


def png_thumbnail(png: bytes) -> "QtGui.QImage":
    """A PNG made small.  Called in threads.  LinewashError BAD_IMAGE."""
    keep, smooth = QtCore.Qt.AspectRatioMode.KeepAspectRatio, QtCore.Qt.TransformationMode.SmoothTransformation
    return on_white(decode_layer(png).scaled(THUMBNAIL_SIDE, THUMBNAIL_SIDE, keep, smooth))


def on_white(image: "QtGui.QImage") -> "QtGui.QImage":
    """An image laid on white paper."""
    paper = QtGui.QImage(image.size(), QtGui.QImage.Format.Format_RGB32)
    paper.fill(QtCore.Qt.GlobalColor.white)
    painter = QtGui.QPainter(paper)
    painter.drawImage(0, 0, image)
    painter.end()
    return paper
