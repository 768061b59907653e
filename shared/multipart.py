"""A multipart/form-data body that streams: no image is copied, and files are read in blocks."""

import os
import uuid
from pathlib import Path
from typing import Dict, Iterator, List, Tuple, Union

from .errors import ErrorCode, LinewashError

Part = Union[bytes, "os.PathLike[str]", str]
"""PNG bytes, or the path of a PNG file."""

BLOCK = 256 * 1024
"""Bytes read from a file at a time."""
REQUEST_PART = "request"
"""Name of the JSON part."""


class MultipartBody:
    """The body of ``POST /v1/jobs``: the JSON part first, then the images in the order of ``images``.

    It can be iterated again for a retry.  Its length is known, so it is sent with a Content-Length.
    """

    def __init__(self, request_json: bytes, images: Dict[str, Part]) -> None:
        self._boundary = uuid.uuid4().hex
        self._parts: List[Tuple[bytes, str, Part, int]] = [
            (self._head(REQUEST_PART, "application/json"), REQUEST_PART, request_json, len(request_json))
        ]
        for name, source in images.items():
            self._parts.append((self._head(name, "image/png"), name, source, part_size(name, source)))
        self._end = ("--%s--\r\n" % self._boundary).encode("ascii")

    @property
    def content_type(self) -> str:
        """The value of the Content-Type header."""
        return "multipart/form-data; boundary=%s" % self._boundary

    def _head(self, name: str, kind: str) -> bytes:
        return (
            '--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: %s\r\n\r\n'
            % (self._boundary, name, name, kind)
        ).encode("ascii")

    def __len__(self) -> int:
        return sum(len(head) + size + 2 for head, _, _, size in self._parts) + len(self._end)

    def __iter__(self) -> Iterator[bytes]:
        for head, name, source, size in self._parts:
            yield head
            if isinstance(source, bytes):
                yield source
            else:
                for block in _iter_file(name, source, size):
                    yield block
            yield b"\r\n"
        yield self._end


def part_size(name: str, source: Part) -> int:
    """Bytes of a part.  LinewashError REFERENCE_UNREADABLE or BAD_IMAGE when its file cannot be read."""
    if isinstance(source, bytes):
        return len(source)
    try:
        return Path(source).stat().st_size
    except OSError as error:
        raise _unreadable(name, str(error)) from error


def _iter_file(name: str, path: "Union[os.PathLike[str], str]", size: int) -> Iterator[bytes]:
    remaining = size
    try:
        with Path(path).open("rb") as file:
            # Exactly as much as was announced: a file that has grown meanwhile would break the body.
            while remaining > 0:
                block = file.read(min(BLOCK, remaining))
                if not block:
                    raise _unreadable(name, "the file became shorter while it was sent")
                remaining -= len(block)
                yield block
    except OSError as error:
        raise _unreadable(name, str(error)) from error


def _unreadable(name: str, detail: str) -> LinewashError:
    code = ErrorCode.REFERENCE_UNREADABLE if name.startswith("reference") else ErrorCode.BAD_IMAGE
    return LinewashError(code, "%s: %s" % (name, detail))
