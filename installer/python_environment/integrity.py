"""Finds packages of which an interrupted installation, or anything else, has left only a part.

Every installed package lists its files with their digests in ``RECORD`` (recording installed projects, PyPA specifications).
"""

import base64
import csv
import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .packages import canonical


@dataclass(frozen=True)
class Inventory:
    """What lies in a folder of packages."""

    intact: dict[str, str]
    """Canonical name -> version."""
    damaged: tuple[Path, ...]
    """The ``.dist-info`` folders of packages with missing or changed files."""


def take_inventory(folder: Path, hashed: bool = True, report: Callable[[str], None] = lambda name: None) -> Inventory:
    """What is in ``folder`` (site-packages); hashed: also read every file, not only look whether it is there.

    report: is told each name before it is looked at.
    """
    intact: dict[str, str] = {}
    damaged: list[Path] = []
    for info in sorted(folder.glob("*.dist-info")):
        name, _, version = info.name.removesuffix(".dist-info").partition("-")
        report(name)
        if all(_is_intact(folder, row, hashed) for row in _rows(info)):
            intact[canonical(name)] = version
        else:
            damaged.append(info)
    return Inventory(intact, tuple(damaged))


def remove_rubble(folder: Path, damaged: tuple[Path, ...]) -> None:
    """Make pip forget ``damaged`` packages, so that it installs them anew, and remove what it left half-removed."""
    for path in (*damaged, *folder.glob("~*")):
        shutil.rmtree(path, ignore_errors=True)


def _rows(info: Path) -> Iterator[list[str]]:
    """The rows of RECORD; one that nothing fulfills when the folder is not complete."""
    try:
        rows = list(csv.reader((info / "RECORD").read_text(encoding="utf-8").splitlines()))
    except (OSError, ValueError):
        rows = []
    if not rows or not (info / "METADATA").is_file() or not (info / "INSTALLER").is_file():
        rows = [["\0", "", ""]]
    yield from rows


def _is_intact(folder: Path, row: list[str], hashed: bool) -> bool:
    name, digest, size = [*row, "", "", ""][:3]
    if not digest:  # the record itself, and what Python compiles and writes anew at any time
        return name != "\0"
    path = folder / name
    try:
        if size.isdigit() and path.stat().st_size != int(size):
            return False
        if not hashed:
            return path.is_file()
        method, _, expected = digest.partition("=")
        found = _digest(path, method)
    except (OSError, ValueError):
        return False
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode() == expected


def _digest(path: Path, method: str) -> bytes:
    digest = hashlib.new(method)
    with path.open("rb") as file:
        while block := file.read(1 << 20):  # libraries of a GPU build have over a gigabyte
            digest.update(block)
    return digest.digest()
