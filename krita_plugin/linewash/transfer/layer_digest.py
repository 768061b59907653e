"""Whether a layer, or a folder of weights, has changed: digests and stamps cost far less than what is made of the pixels."""

import hashlib
from pathlib import Path
from typing import Iterator, Tuple

from ..event_loop import pause
from ..krita_api.color_space import color_space_of
from ..krita_api.document import Document
from ..libkis import Node

ROWS = 192
"""How many rows of a layer are read at most."""
Stamp = Tuple[int, int]
"""Time of the last change in nanoseconds, and size in bytes; zeros where there is no such file."""


async def digest_layer(layer: Node, is_computed: bool, canvas: Tuple[int, int]) -> str:
    """A digest of every so many rows of what a layer, or a copy of it, shows.

    Where Krita has not computed that, of what it is made of: the layer, its masks, the layers inside.  Values of filters and
    the opacity of layers inside are not looked at then.
    """
    digest = hashlib.sha256(repr((color_space_of(layer), canvas)).encode())
    for node in [layer] if is_computed else _walk(layer):
        digest.update(repr((str(node.type()), bool(node.visible()), str(node.blendingMode()))).encode())
        read = node.pixelData if str(node.type()).endswith("mask") else node.projectionPixelData
        for top in sampled_rows(canvas[1]):
            digest.update(bytes(read(0, top, canvas[0], 1)))
            await pause()
    return digest.hexdigest()


async def digest_reference(document: Document, layer_id: str) -> str:
    """A digest of a layer of a document, '' when it is not there (any more).

    The layer itself is read, while the painter may change it: to copy one of 8192 x 8192 pixels with masks takes Krita 0.1 s.
    """
    node = document.find_node(layer_id)
    if node is None:
        return ""
    return await digest_layer(node, not node.childNodes() or document.shows(layer_id), document.size)


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
