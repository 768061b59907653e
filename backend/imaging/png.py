"""Reads and writes PNG; the header is checked before a single pixel is decoded."""

import struct
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.imaging.types import Gray, Rgba
from shared.errors import ErrorCode, LinewashError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""Color type: its allowed bit depths (PNG specification, third edition, table 11.1)."""
FAST_COMPRESSION = 1
"""zlib level: flat color layers shrink nearly as well as at 9, many times faster."""


def png_size(data: bytes) -> tuple[int, int]:
    """(width, height) from the header alone; nothing is decoded.

    Raises LinewashError BAD_IMAGE unless ``data`` starts like a PNG with a legal IHDR chunk.
    """
    # 33 bytes: the signature, and IHDR with its length, its name and its checksum.
    if len(data) < 33 or data[:8] != _SIGNATURE or data[8:16] != b"\x00\x00\x00\rIHDR":
        raise LinewashError(ErrorCode.BAD_IMAGE, "not a PNG")
    width, height, depth, color, compression, filtering, interlace = struct.unpack(">IIBBBBB", data[16:29])
    if not (0 < width < 2**31 and 0 < height < 2**31):
        raise LinewashError(ErrorCode.BAD_IMAGE, "size %d x %d" % (width, height))
    if depth not in _DEPTHS.get(color, ()) or compression or filtering or interlace > 1:
        raise LinewashError(ErrorCode.BAD_IMAGE, "depth %d, color type %d" % (depth, color))
    return width, height


def decode_rgba(data: bytes) -> Rgba:
    """(h, w, 4) uint8 straight-alpha sRGB from any PNG; raises LinewashError BAD_IMAGE."""
    pixels: Any = _decode(data, cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGBA)
    if pixels.shape[2] == 2:
        return np.ascontiguousarray(pixels[..., [0, 0, 0, 1]])
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGBA if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


def decode_gray(data: bytes) -> Gray:
    """(h, w) uint8 from any PNG, colors turned to gray; raises LinewashError BAD_IMAGE."""
    pixels: Any = _decode(data, cv2.IMREAD_GRAYSCALE)
    return pixels if pixels.ndim == 2 else pixels[..., 0]


def encode(image: NDArray[np.uint8]) -> bytes:
    """PNG bytes of (h, w), (h, w, 3) sRGB or (h, w, 4) straight-alpha sRGB uint8."""
    ordered: Any = image
    if image.ndim == 3:
        ordered = cv2.cvtColor(image, cv2.COLOR_RGB2BGR if image.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    success, data = cv2.imencode(".png", ordered, [cv2.IMWRITE_PNG_COMPRESSION, FAST_COMPRESSION])
    if not success:
        raise LinewashError(ErrorCode.INTERNAL, "PNG encoding failed for %s" % (image.shape,))
    return data.tobytes()


def _decode(data: bytes, mode: int) -> NDArray[np.uint8]:
    width, height = png_size(data)
    try:
        pixels: Any = cv2.imdecode(np.frombuffer(data, np.uint8), mode)
    except cv2.error as error:
        raise LinewashError(ErrorCode.BAD_IMAGE, str(error)) from error
    if pixels is None or pixels.shape[:2] != (height, width):
        raise LinewashError(ErrorCode.BAD_IMAGE, "the PNG cannot be decoded")
    if pixels.dtype == np.uint16:
        # 65535 / 255 = 257; + 128 rounds, and needs more than 16 bits.
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return pixels
