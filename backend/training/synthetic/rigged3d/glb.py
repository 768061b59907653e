"""Binary glTF 2.0 files: their JSON, and the arrays and images in their buffer.

A reader of our own, as this is all that is needed; it loads 76 animations in milliseconds.
"""

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# glTF 2.0, section 3.6.2.2: component types, and how many components make up an element.
# The tables are those of the specification.
COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
MAGIC, JSON_CHUNK, BINARY_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942


class Glb:
    """One .glb file.  tree: its JSON; blob: its buffer.  Raises ValueError for another kind of file."""

    def __init__(self, file: Path) -> None:
        data = file.read_bytes()
        if len(data) < 20 or struct.unpack_from("<I", data)[0] != MAGIC:
            raise ValueError(f"{file.name} is no binary glTF file")
        chunks: dict[int, bytes] = {}
        at = 12
        while at + 8 <= len(data):
            length, kind = struct.unpack_from("<II", data, at)
            chunks.setdefault(kind, data[at + 8 : at + 8 + length])
            at += 8 + length
        self.tree: dict[str, Any] = json.loads(chunks[JSON_CHUNK])
        self.blob = chunks.get(BINARY_CHUNK, b"")

    def array(self, index: int) -> NDArray[Any]:
        """Accessor `index` as (count, width); normalized integers become 0..1 or -1..1."""
        accessor = self.tree["accessors"][index]
        view = self.tree["bufferViews"][accessor["bufferView"]]
        width, kind = WIDTHS[accessor["type"]], np.dtype(COMPONENTS[accessor["componentType"]])
        offset = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        stride = view.get("byteStride", width * kind.itemsize)
        out = np.ndarray((accessor["count"], width), kind, self.blob, offset, (stride, kind.itemsize)).copy()
        return out / np.iinfo(kind).max if accessor.get("normalized") else out

    def image(self, index: int) -> Image.Image | None:
        """Image `index`, or None when it lies outside the file."""
        number = self.tree["images"][index].get("bufferView")
        if number is None:
            return None
        view = self.tree["bufferViews"][number]
        start = view.get("byteOffset", 0)
        return Image.open(io.BytesIO(self.blob[start : start + view["byteLength"]])).convert("RGBA")
