"""Questions asked of snapshots and pixels."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.imaging.types import Rgba

Snapshot = dict[str, Any]


def read_png(path: Path) -> Rgba:
    """(H, W, 4) uint8 RGBA of a PNG file."""
    data = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert data is not None, path
    assert data.shape[2:] == (4,), data.shape
    return data[..., [2, 1, 0, 3]]


def worst(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    """The largest difference of any channel of any pixel."""
    assert one.shape == other.shape, (one.shape, other.shape)
    return int(np.abs(one.astype(np.int16) - other.astype(np.int16)).max())


def over(front: Rgba, back: Rgba) -> Rgba:
    """``front`` over an opaque ``back``, rounded to 8 bit."""
    alpha = front[..., 3:].astype(np.float64) / 255
    color = front[..., :3] * alpha + back[..., :3] * (1 - alpha)
    return np.dstack([np.rint(color).astype(np.uint8), np.full(front.shape[:2], 255, np.uint8)])


def layers(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    """All layers of a snapshot, parents before their children."""
    stack = list(snapshot["layers"])
    while stack:
        layer = stack.pop(0)
        yield layer
        stack = layer["children"] + stack


def groups(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Linewash's groups in a snapshot."""
    return [layer for layer in layers(snapshot) if layer["type"] == "grouplayer" and layer["name"].startswith("Linewash")]


def by_id(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    """Layer id -> everything about the layer but its children."""
    return {layer["id"]: {k: v for k, v in layer.items() if k != "children"} for layer in layers(snapshot)}


def untouched(before: Snapshot, after: Snapshot) -> bool:
    """Whether every layer of ``before`` is in ``after`` with the same bytes and properties, and size and selection are too.

    The pixels of a group are those of what is in it, so a group that received a result may look different.
    """
    old, new = by_id(before), by_id(after)
    for key, layer in old.items():
        found = dict(new.get(key, {}))
        if layer["type"] == "grouplayer":
            found["sha256"], found["bounds"] = layer["sha256"], layer["bounds"]
        if found != layer:
            return False
    same = ("size", "space", "selection")
    return all(before[key] == after[key] for key in same)
