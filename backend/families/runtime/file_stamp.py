"""Notices that a file was replaced by another of the same name."""

from collections.abc import Iterable
from pathlib import Path

Stamp = tuple[tuple[int, int], ...]
"""For each file: time of its last change in ns, and its size in bytes; 0, 0 where there is none."""


def file_stamp(paths: Iterable[Path]) -> Stamp:
    """A value that changes when one of the files, or the JSON file beside it, changes."""
    return tuple(_time_and_size(file) for path in paths for file in (path, path.with_suffix(".json")))


def _time_and_size(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:  # it is not there, or was removed meanwhile; loading it will report that
        return 0, 0
    return status.st_mtime_ns, status.st_size
