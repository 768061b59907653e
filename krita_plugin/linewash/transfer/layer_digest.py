"""Whether a layer, or a folder of weights, has changed: digests and stamps cost far less than what is made of the pixels."""

import hashlib
from pathlib import Path
from typing import Iterator, Tuple

from ..event_loop import pause
from ..libkis import Node
from .pixel_reader import LayerCopy

ROWS = 192
"""How many rows of a layer are read at most."""
Stamp = Tuple[int, int]
"""Time of the last change in nanoseconds, and size in bytes; zeros where there is no such file."""


async def digest_layer(copy: LayerCopy, canvas: Tuple[int, int]) -> str:
    """A digest of every so many rows of what a frozen copy shows.

    Where Krita has not computed that, of what it is made of: the layer, its masks, the layers inside.  Values of filters and
    the opacity of layers inside are not looked at then.
    """
    digest = hashlib.sha256(repr((copy.space, canvas)).encode())
    for node in [copy.node] if copy.is_computed else _walk(copy.node):
        digest.update(repr((str(node.type()), bool(node.visible()), str(node.blendingMode()))).encode())
        read = node.pixelData if str(node.type()).endswith("mask") else node.projectionPixelData
        for top in sampled_rows(canvas[1]):
            digest.update(bytes(read(0, top, canvas[0], 1)))
            await pause()
    return digest.hexdigest()


def sampled_rows(height: int) -> "range":
    """Which rows of an image of that height are read."""
    return range(0, height, max(1, -(-height // ROWS)))


def file_stamp(path: Path) -> Stamp:
    """The stamp of a file.  Reads the disk, so it is called in threads."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def weights_stamps(folder: Path) -> Tuple[Tuple[str, Stamp], ...]:
    """Names and stamps of all weights in a models folder.  Reads the disk, so it is called in threads."""
    files = sorted([*folder.glob("*.safetensors"), *folder.glob("*/*.safetensors")])
    return tuple((str(file), file_stamp(file)) for file in files)


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.childNodes():
        yield from _walk(child)
