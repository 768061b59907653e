"""Foreground masks as gray images, 255 = foreground, and their union.  Pure functions, called in threads."""

from typing import Sequence

from ..krita_api.pixel_data import PixelData, strips
from ..qt import QtCore, QtGui
from ..shared.errors import ErrorCode, LinewashError
from .codec import any_nonzero, has_paint, image_strips, to_image

_GRAY = QtGui.QImage.Format.Format_Grayscale8


def gray_mask(pixels: PixelData, empty: ErrorCode) -> "QtGui.QImage":
    """A selection, or anything else of one byte a pixel; the error ``empty`` when it is black all over."""
    return _check_not_black(to_image(pixels), empty)


def painted_mask(pixels: PixelData) -> "QtGui.QImage":
    """A mask layer: white where it is painted white, black where it is black or transparent.

    EMPTY_MASK when nothing is white.  MASK_SIZE when it is an image, opaque from edge to edge, but not as large as the canvas.
    """
    if pixels.channels == 1:
        return gray_mask(pixels, ErrorCode.EMPTY_MASK)
    if not has_paint(pixels):
        raise LinewashError(ErrorCode.EMPTY_MASK)
    if pixels.bounds[2:] != (pixels.width, pixels.height) and _fills_its_bounds(pixels):
        raise LinewashError(ErrorCode.MASK_SIZE, "%d x %d" % pixels.bounds[2:])
    return _check_not_black(on_black(to_image(pixels)), ErrorCode.EMPTY_MASK)


def alpha_mask(pixels: PixelData) -> "QtGui.QImage":
    """The alpha of a layer.  EMPTY_MASK when it is transparent all over."""
    alphas = tuple(strip[3::4] for strip in pixels.strips)
    return gray_mask(PixelData(pixels.width, pixels.height, 1, alphas, pixels.bounds), ErrorCode.EMPTY_MASK)


def unite_masks(masks: "Sequence[QtGui.QImage]") -> "QtGui.QImage":
    """What is foreground in any of these masks, one or more of one size: the largest value of each pixel."""
    if len(masks) == 1:
        return masks[0]
    united = masks[0].copy()
    painter = QtGui.QPainter(united)
    painter.setCompositionMode(QtGui.QPainter.CompositionMode.CompositionMode_Lighten)
    for mask in masks[1:]:
        for top, rows in strips(mask.width(), mask.height()):  # Qt holds Python's lock while it draws
            painter.drawImage(0, top, mask, 0, top, mask.width(), rows)
    painter.end()
    return united


def on_black(image: "QtGui.QImage") -> "QtGui.QImage":
    """A colored image as gray, where it is transparent black."""
    canvas = QtGui.QImage(image.size(), QtGui.QImage.Format.Format_RGB32)
    canvas.fill(QtCore.Qt.GlobalColor.black)
    painter = QtGui.QPainter(canvas)
    painter.drawImage(0, 0, image)
    painter.end()
    return canvas.convertToFormat(_GRAY)


def _check_not_black(image: "QtGui.QImage", empty: ErrorCode) -> "QtGui.QImage":
    if not any(any_nonzero(strip) for strip in image_strips(image)):
        raise LinewashError(empty)
    return image


def _fills_its_bounds(pixels: PixelData) -> bool:
    x, y, width, height = pixels.bounds
    left, right = max(0, x), min(pixels.width, x + width)
    for number, (top, rows) in enumerate(strips(pixels.width, pixels.height)):
        for row in range(max(top, y), min(top + rows, y + height)):
            start = (row - top) * pixels.width
            if min(pixels.strips[number][(start + left) * 4 + 3 : (start + right) * 4 : 4], default=255) < 255:
                return False
    return True
