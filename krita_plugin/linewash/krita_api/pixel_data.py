"""Pixels of layers in any color space, as 8-bit sRGB, read strip by strip so that no read holds the window up."""

import re
from dataclasses import dataclass
from typing import Callable, Iterator, Optional, SupportsBytes, Tuple

from ..libkis import KritaDocument, Node
from ..shared.errors import ErrorCode, LinewashError
from .color_space import SRGB, ColorSpace, color_space_of
from .event_calls import EventCalls

Rect = Tuple[int, int, int, int]
"""Left, top, width and height in canvas pixels; it may reach beyond the canvas."""

STRIP_PIXELS = 128 * 1024
"""Pixels handled in one step; converting that many takes Krita 5.1 under 40 ms from any color space tried."""
_PAINTED_RUN = re.compile(b"[^\\0]+", re.DOTALL)


@dataclass(frozen=True)
class PixelData:
    """An image in memory."""

    width: int
    height: int
    channels: int
    """4 (BGRA bytes) or 1 (gray)."""
    strips: Tuple[bytes, ...]
    """Joined, they are its rows from top to bottom; see ``strips``."""
    bounds: Rect
    """Where the layer it comes from has paint."""


class Converter:
    """Converts pixels between color spaces with Krita's own engine, in a scratch document that is created when needed.

    Krita handles events while it converts, see ``event_calls.py``.
    """

    def __init__(self, create_scratch: Callable[[], KritaDocument], event_calls: EventCalls) -> None:
        self._create, self._event_calls = create_scratch, event_calls
        self._scratch: Optional[KritaDocument] = None

    def convert(self, data: bytes, width: int, height: int, source: ColorSpace, target: ColorSpace) -> bytes:
        """``data`` (width x height pixels of ``source``) in ``target``.  INTERNAL when Krita does not know a profile."""
        if source == target:
            return data
        if self._scratch is None:
            self._scratch = self._create()
        # Krita's scripting converts layers, not bytes, so the bytes pass through a layer.
        node = self._scratch.createNode("strip", "paintlayer")
        self._set_space(node, source)
        write_pixels(node, data, (0, 0, width, height))
        self._set_space(node, target)
        return bytes(node.pixelData(0, 0, width, height))

    def _set_space(self, node: Node, space: ColorSpace) -> None:
        if color_space_of(node) != space and not self._event_calls.convert_layer(node, space):
            raise LinewashError(ErrorCode.INTERNAL, "Krita cannot convert to %s/%s/%s" % space)

    def close(self) -> None:
        """Give the scratch document back, and with it the undo history it collected."""
        scratch, self._scratch = self._scratch, None
        if scratch is not None:
            self._event_calls.close_document(scratch)


def strips(width: int, height: int) -> Iterator[Tuple[int, int]]:
    """First row and number of rows of each strip of an image, from top to bottom."""
    rows = max(1, STRIP_PIXELS // max(1, width))
    for top in range(0, height, rows):
        yield top, min(rows, height - top)


def overlap(first: Rect, second: Rect) -> Rect:
    """What lies in both rectangles; its width or height is 0 when nothing does."""
    left, top = max(first[0], second[0]), max(first[1], second[1])
    right, bottom = min(first[0] + first[2], second[0] + second[2]), min(first[1] + first[3], second[1] + second[3])
    return left, top, max(0, right - left), max(0, bottom - top)


def read_layer(node: Node, area: Rect, converter: Converter) -> Iterator[bytes]:
    """The strips of ``area`` of a layer that nobody changes meanwhile, as BGRA.

    With its masks, and for groups and vector layers what they show.  Outside the layer it is transparent.
    """
    return _read(node.projectionPixelData, color_space_of(node), area, converter)


def read_paint(node: Node, area: Rect, converter: Converter) -> Iterator[bytes]:
    """As ``read_layer``, for what is painted on a paint layer itself, whatever masks it has."""
    return _read(node.pixelData, color_space_of(node), area, converter)


def write_pixels(node: Node, data: bytes, area: Rect) -> None:
    """Write pixels in the layer's own color space.  INTERNAL when Krita says, as it does since 5.3, that it did not."""
    if node.setPixelData(data, *area) is False:
        raise LinewashError(ErrorCode.INTERNAL, "Krita did not take %d bytes for %d x %d pixels" % (len(data), *area[2:]))


def merge_pixels(old: bytes, new: bytes, mask: bytes) -> bytes:
    """Pixels of any number of bytes: the new ones where the mask, one byte a pixel, is not 0."""
    pixel_bytes, merged = len(new) // len(mask), bytearray(old)
    # Whole runs are copied at once: a loop over single pixels would stall the window.
    for run in _PAINTED_RUN.finditer(mask):
        begin, end = run.start() * pixel_bytes, run.end() * pixel_bytes
        merged[begin:end] = new[begin:end]
    return bytes(merged)


def _read(
    read: Callable[[int, int, int, int], SupportsBytes], space: ColorSpace, area: Rect, converter: Converter
) -> Iterator[bytes]:
    x, y, width, height = area
    for top, rows in strips(width, height):
        data = bytes(read(x, y + top, width, rows))
        if not data:
            data = bytes(width * rows * 4)  # a layer that holds nothing at all
        elif space != SRGB:
            data = converter.convert(data, width, rows, space, SRGB)
        if len(data) != width * rows * 4:
            raise LinewashError(ErrorCode.INTERNAL, "%d bytes for %d x %d pixels of %s" % (len(data), width, rows, space))
        yield data
