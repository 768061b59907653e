"""PNG in and out, and what captured pixels say about themselves.  Pure functions, called in threads.

Qt releases Python's lock while it reads and writes PNG, so the window stays free.  Loops here go strip by strip for the same
reason.
"""

from pathlib import Path
from typing import Any, List, Tuple

from ..krita_api.pixel_data import PixelData, strips
from ..qt import QtCore, QtGui
from ..shared.errors import ErrorCode, LinewashError

REFERENCE_SIDE = 1536
"""References are sent no larger than this, pixels on the longest side; models see them much smaller."""

_SAMPLE = 4
"""Every so many pixels of every so many rows are sampled to tell paper from ink."""
_ARGB, _GRAY = QtGui.QImage.Format.Format_ARGB32, QtGui.QImage.Format.Format_Grayscale8


def encode_lines(pixels: PixelData) -> bytes:
    """The line layer as PNG.  EMPTY_LINES when it is transparent, or one color, all over."""
    # Whole strips are compared: a loop over single pixels would take seconds.
    first = pixels.strips[0][:4]
    if all(strip == first * (len(strip) // 4) for strip in pixels.strips) or not has_paint(pixels):
        raise LinewashError(ErrorCode.EMPTY_LINES)
    return encode_png(to_image(pixels))


def is_opaque_paper(pixels: PixelData) -> bool:
    """Whether the layer is a drawing on paper rather than ink on transparency.

    It is when more than 20 % of it is opaque and most of that is light, or when more than 90 % is opaque whatever its colors,
    as then nothing under it would show.
    """
    samples = covered = light = 0
    for top, (_, rows) in enumerate(strips(pixels.width, pixels.height)):
        strip, stride = pixels.strips[top], pixels.width * 4
        # A sample of the pixels decides, with green in place of brightness.
        for row in range(0, rows, _SAMPLE):
            line = strip[row * stride : (row + 1) * stride]
            for green, alpha in zip(line[1 :: 4 * _SAMPLE], line[3 :: 4 * _SAMPLE]):
                samples += 1
                if alpha > 127:
                    covered += 1
                    light += green > 127
    return covered > 0.9 * samples or (covered > 0.2 * samples and light > 0.5 * covered)


def encode_reference(pixels: PixelData) -> bytes:
    """A reference layer as PNG, made smaller when it is large.  EMPTY_REFERENCE when nothing is painted on it."""
    if pixels.width < 1 or pixels.height < 1 or not has_paint(pixels):
        raise LinewashError(ErrorCode.EMPTY_REFERENCE)
    return encode_png(_fit_within(to_image(pixels), REFERENCE_SIDE))


def encode_reference_file(path: Path) -> bytes:
    """A reference file as PNG.  REFERENCE_UNREADABLE, or EMPTY_REFERENCE when it is transparent all over."""
    image = read_file(path, REFERENCE_SIDE).convertToFormat(_ARGB)
    if image.hasAlphaChannel() and not any(any_nonzero(strip[3::4]) for strip in image_strips(image)):
        raise LinewashError(ErrorCode.EMPTY_REFERENCE, str(path))
    return encode_png(image)


def read_file(path: Path, longest: int) -> "QtGui.QImage":
    """An image file, upright, at most ``longest`` pixels a side.  REFERENCE_UNREADABLE when it is none."""
    reader = QtGui.QImageReader(str(path))
    _lift_limit()
    reader.setAutoTransform(True)
    size = reader.size()
    # Scaled while it is decoded: of a large JPEG the full size is never unpacked.
    if size.isValid() and max(size.width(), size.height()) > longest:
        reader.setScaledSize(size.scaled(longest, longest, QtCore.Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    if image.isNull():
        raise LinewashError(ErrorCode.REFERENCE_UNREADABLE, "%s: %s" % (path, reader.errorString()))
    return _fit_within(image, longest)


def encode_hints(pixels: PixelData) -> bytes:
    """The hints as PNG.  EMPTY_HINTS when nothing is painted there."""
    if not has_paint(pixels):
        raise LinewashError(ErrorCode.EMPTY_HINTS)
    return encode_png(to_image(pixels))


def decode_layer_strips(png: bytes, size: Tuple[int, int]) -> List[bytes]:
    """A result layer as strips of BGRA bytes.  BAD_IMAGE when it is no PNG of that size."""
    image = decode_layer(png)
    if (image.width(), image.height()) != size:
        raise LinewashError(ErrorCode.BAD_IMAGE, "%d x %d, wanted %d x %d" % (image.width(), image.height(), *size))
    return list(image_strips(image))


def decode_layer(png: bytes) -> "QtGui.QImage":
    """A result layer.  BAD_IMAGE when it is no PNG."""
    # The buffer only refers to these bytes, so they must live as long as it does.
    data = QtCore.QByteArray(png)
    buffer = QtCore.QBuffer(data)
    buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
    _lift_limit()
    image = QtGui.QImageReader(buffer, b"png").read()
    if image.isNull():
        raise LinewashError(ErrorCode.BAD_IMAGE, "%d bytes are no PNG" % len(png))
    return image.convertToFormat(_ARGB)


def image_strips(image: "QtGui.QImage") -> "Tuple[bytes, ...]":
    """The bytes of a 32-bit image in strips from top to bottom."""
    stride = image.bytesPerLine()
    view = _memory_of(image)
    return tuple(view[top * stride : (top + rows) * stride].tobytes() for top, rows in strips(image.width(), image.height()))


def to_image(pixels: PixelData) -> "QtGui.QImage":
    """``pixels`` as an image.  Filled strip by strip: one large copy would hold Python's lock, and with it the window."""
    image = QtGui.QImage(pixels.width, pixels.height, _ARGB if pixels.channels == 4 else _GRAY)
    stride, row = image.bytesPerLine(), pixels.width * pixels.channels
    view = _memory_of(image)
    for strip, (top, rows) in zip(pixels.strips, strips(pixels.width, pixels.height)):
        if stride == row:
            view[top * stride : (top + rows) * stride] = strip
        else:  # Qt pads gray rows to a multiple of 4
            for number in range(rows):
                start = (top + number) * stride
                view[start : start + row] = strip[number * row : (number + 1) * row]
    return image


def encode_png(image: "QtGui.QImage") -> bytes:
    """An image as PNG, packed lightly: it only travels within this computer."""
    buffer = QtCore.QBuffer()
    buffer.open(QtCore.QIODevice.OpenModeFlag.WriteOnly)
    if not image.save(buffer, "PNG", 80):
        raise LinewashError(ErrorCode.OUT_OF_MEMORY, "PNG of %d x %d" % (image.width(), image.height()))
    return buffer.data().data()


def _memory_of(image: "QtGui.QImage") -> memoryview:
    """The pixels of an image, to be read or written where they are."""
    memory: Any = image.bits()  # a voidptr, which PyQt6's types do not know as a buffer
    memory.setsize(image.sizeInBytes())
    return memoryview(memory).cast("B")


def has_paint(pixels: PixelData) -> bool:
    """Whether a layer is not transparent all over."""
    return any(any_nonzero(strip[3::4]) for strip in pixels.strips)


def any_nonzero(data: bytes) -> bool:
    """Whether any byte is not 0; much faster than any()."""
    return data.count(0) < len(data)


def _fit_within(image: "QtGui.QImage", longest: int) -> "QtGui.QImage":
    if max(image.width(), image.height()) <= longest:
        return image
    keep, smooth = QtCore.Qt.AspectRatioMode.KeepAspectRatio, QtCore.Qt.TransformationMode.SmoothTransformation
    return image.scaled(longest, longest, keep, smooth)


def _lift_limit() -> None:
    if hasattr(QtGui.QImageReader, "setAllocationLimit"):  # Qt 6 refuses images of more than 256 MiB: 8192 x 8192
        QtGui.QImageReader.setAllocationLimit(1024)
