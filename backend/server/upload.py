"""Receives ``POST /v1/jobs`` and streams each part to disk.  Parts that are too large or no PNG are refused undecoded."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from backend.imaging.png import png_size
from shared.errors import ErrorCode, LinewashError
from shared.multipart import REQUEST_PART
from shared.protocol import MAX_JSON_BYTES, MAX_REFERENCE_SIDE, ColorizeRequest
from shared.request_parts import (
    PART_FOREGROUND,
    PART_HINTS,
    PART_LINES,
    PART_PREVIOUS_BACKGROUND,
    PART_PREVIOUS_FOREGROUND,
    PART_SELECTION_MASK,
    part_names,
)

PNG_HEADER = 33
"""Bytes of a PNG's signature and IHDR chunk."""
_BATCH = 1024 * 1024
"""Bytes that are parsed and written at a time."""
_SIZE_ERRORS = {
    PART_LINES: ErrorCode.BAD_IMAGE,
    PART_FOREGROUND: ErrorCode.MASK_SIZE,
    PART_HINTS: ErrorCode.HINTS_SIZE,
    PART_SELECTION_MASK: ErrorCode.SELECTION_MASK_SIZE,
    PART_PREVIOUS_FOREGROUND: ErrorCode.PREVIOUS_SIZE,
    PART_PREVIOUS_BACKGROUND: ErrorCode.PREVIOUS_SIZE,
}
"""The parts that must have canvas size, and the error when they do not."""


@dataclass(frozen=True)
class Upload:
    """A received request."""

    request: ColorizeRequest
    digest: str
    """Equal for equal requests with equal parts."""


async def receive(content_type: str, body: AsyncIterator[bytes], folder: Path, max_part_bytes: int) -> Upload:
    """Write every part to ``folder`` as ``<name>.png`` and return the checked request.

    Raises LinewashError: BAD_REQUEST, REQUEST_TOO_LARGE, BAD_IMAGE, all of ``check_size`` and ``ColorizeRequest.from_json``;
    OSError when the disk fails.  The disk is written in a thread, so that the server keeps answering.
    """
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise LinewashError(ErrorCode.BAD_REQUEST, "not multipart/form-data")
    receiver = _Receiver(folder, max_part_bytes)
    try:
        parser = _parser(options[b"boundary"], receiver)
        buffer = bytearray()
        async for chunk in body:
            buffer += chunk
            # Chunks are gathered: handing each one to a thread would cost more than writing it.
            if len(buffer) >= _BATCH:
                await asyncio.to_thread(parser.write, bytes(buffer))
                buffer.clear()
        await asyncio.to_thread(parser.write, bytes(buffer))
        parser.finalize()
    except FormParserError as error:
        raise LinewashError(ErrorCode.BAD_REQUEST, str(error)) from error
    finally:
        receiver.close()
    return receiver.finish()


class _Receiver:
    """The callbacks of the multipart parser.  A LinewashError in one of them ends the upload."""

    def __init__(self, folder: Path, max_part_bytes: int) -> None:
        self._folder, self._limit = folder, max_part_bytes
        self._request: ColorizeRequest | None = None
        self._digests: dict[str, str] = {}
        self._ended = False
        self._field, self._value, self._headers = b"", b"", dict[bytes, bytes]()
        self._name, self._size, self._head = "", 0, b""
        self._hash = hashlib.sha256()
        self._file: BinaryIO | None = None

    def close(self) -> None:
        """Close the file of an unfinished part."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def finish(self) -> Upload:
        """The request, once every part has arrived."""
        if not self._ended or self._request is None:
            raise LinewashError(ErrorCode.BAD_REQUEST, "the upload ended early")
        missing = set(part_names(self._request)) - set(self._digests)
        if missing:
            raise LinewashError(ErrorCode.BAD_REQUEST, "missing parts: %s" % sorted(missing))
        # Sorted, so that the order of fields and parts makes no difference.
        content = [json.dumps(self._request.to_json(), sort_keys=True), *(sorted(self._digests.items()))]
        return Upload(self._request, hashlib.sha256(repr(content).encode("utf-8")).hexdigest())

    def begin(self) -> None:
        """Begin a part."""
        self._field, self._value, self._headers = b"", b"", {}

    def add_field(self, data: bytes, start: int, end: int) -> None:
        """Receive a piece of a header's name."""
        self._field += data[start:end]

    def add_value(self, data: bytes, start: int, end: int) -> None:
        """Receive a piece of a header's value."""
        self._value += data[start:end]

    def end_header(self) -> None:
        """Finish a header."""
        self._headers[self._field.lower()] = self._value
        self._field, self._value = b"", b""

    def open_part(self) -> None:
        """After all headers of a part: open its file."""
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode("latin-1")
        self._size, self._head, self._hash = 0, b"", hashlib.sha256()
        if self._request is None:
            # The request tells which other parts may come, and how large their images are.
            if self._name != REQUEST_PART:
                raise LinewashError(ErrorCode.BAD_REQUEST, "the request part does not come first")
            return
        if self._name not in part_names(self._request) or self._name in self._digests:
            raise LinewashError(ErrorCode.BAD_REQUEST, "part %r is unknown or repeated" % self._name[:40])
        self._file = (self._folder / (self._name + ".png")).open("wb")

    def data(self, data: bytes, start: int, end: int) -> None:
        """Receive a piece of a part."""
        self._size += end - start
        if self._size > (MAX_JSON_BYTES if self._request is None else self._limit):
            raise LinewashError(ErrorCode.REQUEST_TOO_LARGE, "part %s" % self._name)
        if self._request is None:
            self._head += data[start:end]
            return
        # The header holds the size: an image that does not fit is refused before the rest arrives.
        if len(self._head) < PNG_HEADER:
            self._head += data[start : min(end, start + PNG_HEADER - len(self._head))]
            if len(self._head) == PNG_HEADER:
                check_size(self._name, png_size(self._head), self._request)
        piece = memoryview(data)[start:end]
        self._hash.update(piece)
        if self._file is not None:
            self._file.write(piece)

    def end_part(self) -> None:
        """Finish a part."""
        if self._request is None:
            try:
                self._request = ColorizeRequest.from_json(json.loads(self._head))
            except (ValueError, RecursionError) as error:  # not JSON, not UTF-8, or nested too deeply
                raise LinewashError(ErrorCode.BAD_REQUEST, "the request part is not JSON: %s" % type(error).__name__) from error
            return
        if len(self._head) < PNG_HEADER:
            raise LinewashError(ErrorCode.BAD_IMAGE, "%s is no PNG" % self._name)
        self.close()
        self._digests[self._name] = self._hash.hexdigest()

    def end(self) -> None:
        """Note that the closing boundary has arrived."""
        self._ended = True


def _parser(boundary: bytes, receiver: _Receiver) -> MultipartParser:
    return MultipartParser(
        boundary,
        {
            "on_part_begin": receiver.begin,
            "on_header_field": receiver.add_field,
            "on_header_value": receiver.add_value,
            "on_header_end": receiver.end_header,
            "on_headers_finished": receiver.open_part,
            "on_part_data": receiver.data,
            "on_part_end": receiver.end_part,
            "on_end": receiver.end,
        },
    )


def check_size(name: str, size: tuple[int, int], request: ColorizeRequest) -> None:
    """Raise LinewashError unless the image of a part of ``size`` (width, height in pixels) fits the request.

    Not of canvas size: the error that ``_SIZE_ERRORS`` has for the part.  REQUEST_TOO_LARGE for a reference beyond
    ``MAX_REFERENCE_SIDE``.
    """
    canvas = (request.width, request.height)
    detail = "%s is %d x %d, the canvas %d x %d" % (name, *size, *canvas)
    if name in _SIZE_ERRORS and size != canvas:
        raise LinewashError(_SIZE_ERRORS[name], detail)
    if max(size) > MAX_REFERENCE_SIDE:
        raise LinewashError(ErrorCode.REQUEST_TOO_LARGE, detail)
