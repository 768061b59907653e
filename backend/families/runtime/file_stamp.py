"""Noticing that a file was replaced by another of the same name."""

from collections.abc import Iterable
from pathlib import Path

Stamp = tuple[tuple[int, int], ...]


def file_stamp(paths: Iterable[Path]) -> Stamp:
    """What changes when one of the files, or the description beside it, does: when it was last changed, ns, and its bytes."""
    return tuple(_changed(file) for path in paths for file in (path, path.with_suffix(".json")))


def _changed(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:  # it is not there, or went away meanwhile, which loading will say
        return 0, 0
    return status.st_mtime_ns, status.st_size
