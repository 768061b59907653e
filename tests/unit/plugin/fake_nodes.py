"""Layers of the stand-in for Krita: what they hold, and the handles through which plugins reach them."""

# ruff: noqa: N802 - the names are Krita's

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
from PyQt6.QtCore import QRect, QUuid

COLORIZED = (1, 2, 3, 255)
"""What a colorize mask fills its layer with."""
BYTES = {("RGBA", "U8"): 4, ("RGBA", "U16"): 8, ("GRAYA", "U8"): 2}


def note(document: Any, text: str, back: Callable[[], Any] = lambda: None) -> None:
    """Record an undo step in ``document`` (None: nowhere); ``back`` undoes it."""
    if document is not None:
        document.state.undo.append((text, back))


class NodeData:
    def __init__(self, kind: str, name: str, image: Any, space: tuple[str, str, str]) -> None:
        self.kind, self.name, self.image, self.space = kind, name, image, space
        self.id = "{%s}" % uuid.uuid4()
        self.parent: NodeData | None = None
        self.children: list[NodeData] = []
        self.visible, self.blending, self.collapsed = True, "normal", False
        self.at: tuple[int, int] = (0, 0)
        self.is_computed = True
        """Else it shows nothing of its masks, and of what lies in it."""
        self.key_strokes: list[tuple[tuple[int, int, int], np.ndarray]] = []
        """Color (BGR) and strength, (H, W), of each key stroke of a colorize mask."""
        self.transparent = -1
        self.pixels = np.zeros((0, 0, BYTES.get(space[:2], 4)), np.uint8)

    def copy(self) -> NodeData:
        duplicate = NodeData(self.kind, self.name, self.image, self.space)
        duplicate.visible, duplicate.blending, duplicate.at, duplicate.pixels = (
            self.visible,
            self.blending,
            self.at,
            self.pixels.copy(),
        )
        duplicate.key_strokes, duplicate.transparent = list(self.key_strokes), self.transparent
        for child in self.children:
            duplicate.insert(len(duplicate.children), child.copy())
        return duplicate

    def insert(self, index: int, child: NodeData) -> None:
        self.children.insert(index, child)
        child.parent = self

    def belong_to(self, image: Any) -> None:
        self.image = image
        for child in self.children:
            child.belong_to(image)

    def read(self, x: int, y: int, w: int, h: int) -> np.ndarray:
        out = np.zeros((h, w, self.pixels.shape[2]), np.uint8)
        left, top = max(x, self.at[0]), max(y, self.at[1])
        right = min(x + w, self.at[0] + self.pixels.shape[1])
        bottom = min(y + h, self.at[1] + self.pixels.shape[0])
        if left < right and top < bottom:
            source = self.pixels[top - self.at[1] : bottom - self.at[1], left - self.at[0] : right - self.at[0]]
            out[top - y : bottom - y, left - x : right - x] = source
        return out

    def write(self, block: np.ndarray, x: int, y: int) -> None:
        h, w = block.shape[:2]
        if not self.pixels.size:
            self.at, self.pixels = (x, y), block.copy()
            return
        left, top = min(x, self.at[0]), min(y, self.at[1])
        right = max(x + w, self.at[0] + self.pixels.shape[1])
        bottom = max(y + h, self.at[1] + self.pixels.shape[0])
        grown = self.read(left, top, right - left, bottom - top)
        grown[y - top : y - top + h, x - left : x - left + w] = block
        self.at, self.pixels = (left, top), grown

    def projection(self, x: int, y: int, w: int, h: int) -> np.ndarray:
        """8-bit only: a group shows its children, a transparency mask cuts a layer, a colorize mask fills what is empty."""
        shown = np.zeros((h, w, 4), np.uint8) if self.kind == "grouplayer" else self.read(x, y, w, h)
        for child in self.children if self.is_computed else ():
            if child.kind == "colorizemask" and child.visible:
                shown = np.where(shown[..., 3:] > 0, shown, np.array(COLORIZED, np.uint8))
            elif child.kind == "transparencymask":
                shown[..., 3] = (shown[..., 3].astype(int) * child.read(x, y, w, h)[..., 0] // 255).astype(np.uint8)
            elif self.kind == "grouplayer" and child.visible:
                over = child.projection(x, y, w, h)
                shown = np.where(over[..., 3:] > 0, over, shown)
        return shown


class Node:
    """A handle; Krita makes a new one at every call."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, data: NodeData) -> None:
        self.data = data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and other.data is self.data

    def uniqueId(self) -> QUuid:
        return QUuid(self.data.id)

    def name(self) -> str:
        return self.data.name

    def setName(self, name: str) -> None:
        self.data.name = name

    def type(self) -> str:
        return self.data.kind

    def visible(self) -> bool:
        return self.data.visible

    def setVisible(self, value: bool) -> None:
        self.data.visible = value

    def collapsed(self) -> bool:
        return self.data.collapsed

    def setCollapsed(self, value: bool) -> None:
        self.data.collapsed = value

    def blendingMode(self) -> str:
        return self.data.blending

    def setBlendingMode(self, mode: str) -> None:
        self.data.blending = mode
        note(self.data.image, "Composition Mode Change")

    def colorModel(self) -> str:
        return self.data.space[0]

    def colorDepth(self) -> str:
        return self.data.space[1]

    def colorProfile(self) -> str:
        return self.data.space[2]

    def setColorSpace(self, model: str, depth: str, profile: str) -> bool:
        if not profile or (model, depth) not in BYTES:
            return False
        old, new = self.data.space[1], depth
        if self.data.pixels.size and old != new:
            pixels = self.data.pixels
            if new == "U16":
                wide = pixels.astype("<u2") * 257
                self.data.pixels = wide.view(np.uint8).reshape(*pixels.shape[:2], 8)
            else:
                self.data.pixels = (np.ascontiguousarray(pixels).view("<u2") // 257).astype(np.uint8)
        elif not self.data.pixels.size:
            self.data.pixels = np.zeros((0, 0, BYTES[(model, depth)]), np.uint8)
        self.data.space = (model, depth, profile)
        note(self.data.image, "Convert Layer Color Space")
        return True

    def pixelData(self, x: int, y: int, w: int, h: int) -> bytes:
        if self.data.kind in ("grouplayer", "vectorlayer"):
            return b""
        return self.data.read(x, y, w, h).tobytes()

    def projectionPixelData(self, x: int, y: int, w: int, h: int) -> bytes:
        if self.data.space[1] != "U8":
            return self.data.read(x, y, w, h).tobytes()
        return self.data.projection(x, y, w, h).tobytes()

    def setPixelData(self, value: bytes, x: int, y: int, w: int, h: int) -> bool:
        each = 1 if self.data.kind.endswith("mask") else BYTES[self.data.space[:2]]
        if self.data.kind == "grouplayer" or len(value) < w * h * each:
            return False
        self.data.write(np.frombuffer(value, np.uint8, w * h * each).reshape(h, w, each), x, y)
        return True

    def bounds(self) -> QRect:
        if self.data.kind == "grouplayer":
            whole = QRect()
            for child in self.data.children:
                whole = whole.united(Node(child).bounds())
            return whole
        used = np.argwhere(self.data.pixels.any(axis=2))
        if not len(used):
            return QRect()
        (top, left), (bottom, right) = used.min(0), used.max(0)
        x, y = self.data.at
        return QRect(int(left) + x, int(top) + y, int(right - left) + 1, int(bottom - top) + 1)

    def childNodes(self) -> list[Node]:
        return [handle_of(child) for child in self.data.children]

    def parentNode(self) -> Node | None:
        return Node(self.data.parent) if self.data.parent is not None else None

    def duplicate(self) -> Node:
        """Shows what the original showed when Krita last computed it; what is hidden was never computed."""
        duplicate, shown = self.data.copy(), self.data
        while shown.parent is not None and shown.visible:
            shown = shown.parent
        duplicate.is_computed = shown.visible
        return handle_of(duplicate)

    def addChildNode(self, child: Node, above: Node | None) -> bool:
        siblings, document = self.data.children, self.data.image
        index = len(siblings)
        if above is not None:
            if above.data not in siblings:
                return True  # and the child is nowhere, as in Krita
            index = siblings.index(above.data) + 1
        assert child.data.parent is None
        self.data.insert(index, child.data)
        child.data.belong_to(document)
        note(document, "Add Layer", lambda: siblings.remove(child.data))
        if document is not None:
            document.state.modified = True
            document.state.active = child.data
        return True

    def setChildNodes(self, nodes: list[Node]) -> None:
        """No undo step.  With more than one child to replace, the real one leaves some or crashes."""
        assert not self.data.children
        for node in nodes:
            self.data.insert(len(self.data.children), node.data)
            node.data.belong_to(self.data.image)

    def remove(self) -> bool:
        assert self.data.parent is not None
        self.data.parent.children.remove(self.data)
        self.data.parent = None
        return True


class ManagedColor:
    """8-bit RGB."""

    def __init__(self, bgr: tuple[int, int, int]) -> None:
        self.bgr = bgr

    def setColorSpace(self, model: str, depth: str, profile: str) -> bool:
        return (model, depth) == ("RGBA", "U8")

    def components(self) -> list[float]:
        return [*(value / 255 for value in self.bgr), 1.0]


class ColorizeMask(Node):
    """As since Krita 5.2."""

    def keyStrokesColors(self) -> list[ManagedColor]:
        return [ManagedColor(bgr) for bgr, _ in self.data.key_strokes]

    def transparencyIndex(self) -> int:
        return self.data.transparent

    def keyStrokePixelData(self, color: ManagedColor, x: int, y: int, w: int, h: int) -> bytes:
        strength = next(strength for bgr, strength in self.data.key_strokes if bgr == color.bgr)
        return np.ascontiguousarray(strength[y : y + h, x : x + w]).tobytes()


def handle_of(data: NodeData) -> Node:
    """A colorize mask without key strokes is one of Krita 5.1, which lets nobody read them."""
    return ColorizeMask(data) if data.key_strokes else Node(data)
