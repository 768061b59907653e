"""Tests the installation: colors a tiny drawing through a real server.

This also compiles the numeric kernels, which numba caches, so that the painter's first result does not wait for it.
"""

import struct
import tempfile
import zlib
from pathlib import Path

from .messages import InstallError
from .subprocesses import capture_output

SIDE = 96


def tiny_drawing(side: int = SIDE) -> bytes:
    """A gray PNG, ``side`` pixels a side: a black frame on white paper."""
    return gray_png(
        [[0 if min(x, y, side - 1 - x, side - 1 - y) in (16, 17) else 255 for x in range(side)] for y in range(side)]
    )


def tiny_reference(side: int = SIDE) -> bytes:
    """A gray PNG, ``side`` pixels a side: a mid-gray square on light paper."""
    inside = range(16, side - 16)
    return gray_png([[96 if x in inside and y in inside else 224 for x in range(side)] for y in range(side)])


def gray_png(rows: list[list[int]]) -> bytes:
    """An 8-bit gray PNG of ``rows`` of values 0..255 (PNG specification, 3rd edition, sections 5 and 11)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def run_smoke_test(python: Path, project: Path) -> None:
    """Color a tiny drawing with the backend of ``python``, in a temporary home; raises InstallError when it fails."""
    with tempfile.TemporaryDirectory(prefix="linewash-check-") as name:
        folder = Path(name)
        (folder / "lines.png").write_bytes(tiny_drawing())
        (folder / "reference.png").write_bytes(tiny_reference())
        colorize(python, project, folder / "lines.png", folder / "reference.png", folder / "out", folder / "home")


def colorize(python: Path, project: Path, lines: Path, reference: Path, out: Path, home: Path) -> str:
    """Color ``lines`` with ``reference`` into the folder ``out``, through a real server of ``home``; returns its output.

    Raises InstallError with the last lines of the output when the backend fails.
    """
    command = [python, "-m", "backend", "colorize", lines, "--reference", reference, "--out", out, "--home", home]
    status, text = capture_output(command, cwd=project)
    if status != 0:
        last_lines = "\n".join(text.strip().splitlines()[-12:])
        raise InstallError(f"The backend could not color a drawing. It said:\n{last_lines}")
    return text
