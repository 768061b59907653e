"""Reads safetensors files that may be damaged or malicious: the whole header is checked before it is used.

The format: the length of the header (8 bytes, little endian), the header as JSON, the data.  The header gives each tensor's
dtype, shape and byte range in the data; the ranges must fill the data without gaps or overlaps.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import torch
from torch import Tensor

from shared.errors import ErrorCode, LinewashError

MAX_HEADER_BYTES = 8_000_000
"""Largest header that is read.  The format allows 100 MB, which take half a minute and gigabytes to parse; the largest
published one has 0.6 MB."""
MAX_TENSORS = 20_000
DTYPES: dict[str, torch.dtype] = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
PICKLE_SIGNATURES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""First bytes of files by torch.save: a zip archive, or a bare pickle of protocol 2 to 5."""


@dataclass(frozen=True)
class TensorEntry:
    """One tensor as the header describes it."""

    dtype: torch.dtype
    """Of the numbers in the file."""
    shape: tuple[int, ...]
    """() = a single number."""
    begin: int
    """Bytes from the start of the data."""
    end: int
    """Bytes from the start of the data; the first byte after the tensor."""


class SafetensorsFile:
    """An open safetensors file: ``entries`` maps each name to a ``TensorEntry``; ``tensor`` reads one tensor.

    Use it in a ``with`` statement.  The file stays open, so that the bytes read belong to the header that was checked.

    Raises LinewashError: MODEL_MISSING when it cannot be opened, MODEL_PICKLE when it is a pickle, MODEL_UNREADABLE when it is
    another kind of file, MODEL_TRUNCATED when it ends early, MODEL_HEADER when the header contradicts itself or the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise LinewashError(ErrorCode.MODEL_MISSING, f"{path}: {error.strerror}") from error
        try:
            self.entries, self._start = self._read_header()
        except BaseException:  # close the file after any exception, Ctrl-C too, and pass it on
            self._file.close()
            raise

    def __enter__(self) -> "SafetensorsFile":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape."""
        return {name: entry.shape for name, entry in self.entries.items()}

    def tensor(self, name: str) -> Tensor:
        """The tensor as stored, copied to CPU memory, so that later changes of the file do not affect it.

        Raises LinewashError: MODEL_TRUNCATED when the file has become shorter, MODEL_CORRUPT when it holds NaN or infinity.
        """
        entry = self.entries[name]
        flat = torch.empty(math.prod(entry.shape), dtype=entry.dtype)
        view = flat.view(torch.uint8).numpy().data
        self._file.seek(self._start + entry.begin)
        while len(view):
            count = self._file.readinto(view)
            if not count:
                raise self._error(ErrorCode.MODEL_TRUNCATED, f"{name} ends early")
            view = view[count:]
        if flat.is_floating_point() and len(flat) and entry.dtype.itemsize > 1:
            low, high = torch.aminmax(flat)  # propagates NaN and, unlike isfinite, allocates nothing
            if not (torch.isfinite(low) and torch.isfinite(high)):
                raise self._error(ErrorCode.MODEL_CORRUPT, f"{name} holds NaN or infinity")
        return flat.view(entry.shape)

    def _error(self, code: ErrorCode, detail: str) -> LinewashError:
        return LinewashError(code, f"{self.path.name}: {detail}")

    def _read_header(self) -> tuple[Mapping[str, TensorEntry], int]:
        size = self._file.seek(0, 2)
        self._file.seek(0)
        head = self._file.read(9)
        if head.startswith(PICKLE_SIGNATURES):
            raise self._error(ErrorCode.MODEL_PICKLE, "begins like a file of torch.save")
        if size < 9:
            raise self._error(ErrorCode.MODEL_TRUNCATED, f"{size} bytes")
        length = int.from_bytes(head[:8], "little")
        if head[8:] != b"{":
            raise self._error(ErrorCode.MODEL_UNREADABLE, "no header")
        if length > MAX_HEADER_BYTES:
            raise self._error(ErrorCode.MODEL_HEADER, f"a header of {length} bytes")
        if 8 + length > size:
            raise self._error(ErrorCode.MODEL_TRUNCATED, f"{size} bytes, and the header alone has {length}")
        self._file.seek(8)
        header = self._parse_header(self._file.read(length))
        header.pop("__metadata__", None)
        if len(header) > MAX_TENSORS:
            raise self._error(ErrorCode.MODEL_HEADER, f"{len(header)} tensors")
        entries = {name: self._parse_entry(name, value) for name, value in header.items()}
        self._check_offsets(entries, size - 8 - length)
        return entries, 8 + length

    def _parse_header(self, text: bytes) -> dict[str, Any]:
        try:
            value = json.loads(text.decode("utf-8"), object_pairs_hook=_reject_duplicates)
        except _DuplicateKeyError as error:
            raise self._error(ErrorCode.MODEL_HEADER, f"{error} is there twice") from error
        except RecursionError as error:
            raise self._error(ErrorCode.MODEL_HEADER, "a header nested too deeply") from error
        except ValueError as error:  # not UTF-8, or not JSON
            raise self._error(ErrorCode.MODEL_UNREADABLE, f"header: {error}") from error
        return value

    def _parse_entry(self, name: str, value: Any) -> TensorEntry:
        def is_int_list(value: Any, limit: int) -> bool:
            return isinstance(value, list) and all(type(n) is int and 0 <= n < limit for n in cast(list[Any], value))

        if not isinstance(value, dict) or set(cast(dict[str, Any], value)) != {"dtype", "shape", "data_offsets"}:
            raise self._error(ErrorCode.MODEL_HEADER, f"{name}: not a description of a tensor")
        dtype, shape, offsets = (cast(Any, value[key]) for key in ("dtype", "shape", "data_offsets"))
        if (
            not isinstance(dtype, str)
            or dtype not in DTYPES
            or not is_int_list(shape, 2**32)
            or not is_int_list(offsets, 2**63)
            or len(offsets) != 2
        ):
            raise self._error(ErrorCode.MODEL_HEADER, f"{name}: {str(value)[:200]}")
        entry = TensorEntry(DTYPES[dtype], tuple(shape), *offsets)
        if entry.end - entry.begin != math.prod(entry.shape) * entry.dtype.itemsize:
            raise self._error(ErrorCode.MODEL_HEADER, f"{name}: {entry.end - entry.begin} bytes for shape {entry.shape}")
        return entry

    def _check_offsets(self, entries: Mapping[str, TensorEntry], size: int) -> None:
        position = 0
        for name, entry in sorted(entries.items(), key=lambda item: (item[1].begin, item[1].end)):
            if entry.begin != position:
                raise self._error(ErrorCode.MODEL_HEADER, f"{name} begins at {entry.begin}, not at {position}")
            position = entry.end
        if position > size:
            raise self._error(ErrorCode.MODEL_TRUNCATED, f"{size} bytes of data, and the header speaks of {position}")
        if position < size:
            raise self._error(ErrorCode.MODEL_HEADER, f"{size - position} bytes that the header does not speak of")


class _DuplicateKeyError(ValueError):
    """A key that occurs twice in a JSON object."""


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names: set[str] = set()
        raise _DuplicateKeyError(next(name for name, _ in pairs if name in names or names.add(name)))
    return result
