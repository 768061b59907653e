"""A stand-in for Krita's Python module: documents, layers, pixels, selections and an undo history, as in Krita 5.1.5.

What is imitated was seen in the real one: documents and nodes are unhashable handles compared with ==; writing pixels is no
undo step while adding a layer, converting one and setting its blending mode are, in the document the node was made in; adding
makes a node the active one; a closed document has no root; integer RGBA is kept as B, G, R, A.
"""

# ruff: noqa: N802 - the names are Krita's

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PyQt6.QtCore import QUuid
from PyQt6.QtGui import QIcon
from PyQt6.QtWidgets import QDockWidget

from tests.unit.plugin.fake_nodes import BYTES, Node, NodeData, note
from tests.unit.plugin.fake_nodes import ManagedColor as ManagedColor

SRGB = "sRGB-elle-V2-srgbtrc.icc"


def qVersion() -> str:
    return "6.7.0"


GroupLayer = Node


class Canvas:
    """What shows a document in a window."""


class DockWidget(QDockWidget):
    """As in libkis, a subclass without canvasChanged is an error."""

    def canvasChanged(self, canvas: Any) -> None:
        raise AssertionError("a docker has to override canvasChanged")


class DockWidgetFactoryBase:
    class DockPosition:
        DockRight = 2


class DockWidgetFactory:
    def __init__(self, name: str, position: int, create: Callable[[], DockWidget]) -> None:
        self.name, self.position, self.create = name, position, create


class Selection:
    def __init__(self, mask: np.ndarray) -> None:
        self.mask = mask

    def duplicate(self) -> Selection:
        return Selection(self.mask.copy())

    def pixelData(self, x: int, y: int, w: int, h: int) -> bytes:
        return np.ascontiguousarray(self.mask[y : y + h, x : x + w]).tobytes()


class _DocumentState:
    def __init__(self, size: tuple[int, int], name: str, space: tuple[str, str, str], document: Document) -> None:
        self.size, self.name, self.space = size, name, space
        self.root = NodeData("grouplayer", "root", document, space)
        self.undo: list[tuple[str, Callable[[], Any]]] = []
        self.active: NodeData | None = None
        self.selection: Selection | None = None
        self.open, self.modified, self.idle = True, False, True


class Document:
    """A handle, too."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, size: tuple[int, int], name: str, space: tuple[str, str, str], listed: bool = True) -> None:
        self.state = _DocumentState(size, name, space, self)
        if listed:
            Krita.instance().opened.append(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Document) and other.state is self.state

    def handle(self) -> Document:
        document = Document.__new__(Document)
        document.state = self.state
        return document

    def rootNode(self) -> Node | None:
        return Node(self.state.root) if self.state.open else None

    def topLevelNodes(self) -> list[Node]:
        return Node(self.state.root).childNodes()

    def nodeByUniqueID(self, unique_id: QUuid) -> Node | None:
        found = [node for node in _descendants(Node(self.state.root)) if node.uniqueId() == unique_id]
        return found[0] if found else None

    def width(self) -> int:
        return self.state.size[0] if self.state.open else 0

    def height(self) -> int:
        return self.state.size[1] if self.state.open else 0

    def colorModel(self) -> str:
        return self.state.space[0]

    def colorDepth(self) -> str:
        return self.state.space[1]

    def colorProfile(self) -> str:
        return self.state.space[2]

    def setColorSpace(self, model: str, depth: str, profile: str) -> bool:
        self.state.space = (model, depth, profile)
        return True

    def resizeImage(self, x: int, y: int, w: int, h: int) -> None:
        self.state.size = (w, h)
        for node in [] if (x, y) == (0, 0) else list(_descendants(Node(self.state.root))):
            node.data.at = (node.data.at[0] - x, node.data.at[1] - y)

    def createNode(self, name: str, kind: str) -> Node:
        return Node(NodeData(kind, name, self, self.state.space))

    def createGroupLayer(self, name: str) -> Node:
        return self.createNode(name, "grouplayer")

    def activeNode(self) -> Node | None:
        return Node(self.state.active) if self.state.active is not None else None

    def setActiveNode(self, node: Node) -> None:
        self.state.active = node.data

    def selection(self) -> Selection | None:
        return self.state.selection

    def refreshProjection(self) -> None:
        assert self.state.idle, "the real one would wait here"
        for node in _descendants(Node(self.state.root)):
            node.data.is_computed |= node.visible()

    def tryBarrierLock(self) -> bool:
        return self.state.idle

    def unlock(self) -> None:
        assert self.state.idle

    def clone(self) -> Document:
        document = Document(self.state.size, self.state.name, self.state.space, listed=False)
        for child in self.state.root.children:
            document.state.root.insert(len(document.state.root.children), child.copy())
        document.state.root.belong_to(document)
        return document

    def close(self) -> bool:
        self.state.open = False
        Krita.instance().opened = [document for document in Krita.instance().opened if document.state is not self.state]
        return True

    # What only tests use.

    def undo(self) -> None:
        self.state.undo.pop()[1]()

    def undo_texts(self) -> list[str]:
        return [text for text, _ in self.state.undo]


def _descendants(node: Node) -> Iterator[Node]:
    for child in node.childNodes():
        yield child
        yield from _descendants(child)


class _LowerLayer:
    """Krita's action ``move_layer_down``."""

    def trigger(self) -> None:
        document = Krita.instance().front
        assert document is not None and document.state.active is not None
        node = document.state.active
        siblings = node.parent.children if node.parent is not None else []
        index = siblings.index(node)
        if index:
            siblings.insert(index - 1, siblings.pop(index))
            note(document, "Lower Nodes", lambda: siblings.insert(index, siblings.pop(index - 1)))


class View:
    """The view of the document in front."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def document(self) -> Document:
        return self._document

    def selectedNodes(self) -> list[Node]:
        node = self._document.activeNode()
        return [node] if node is not None else []


class Window:
    def activeView(self) -> View | None:
        document = Krita.instance().activeDocument()
        return View(document) if document is not None else None


class Krita:
    _one: Krita | None = None

    def __init__(self) -> None:
        self.opened: list[Document] = []
        self.front: Document | None = None
        self.dockers: list[DockWidgetFactory] = []
        self.settings: dict[tuple[str, str], str] = {}

    @classmethod
    def instance(cls) -> Krita:
        if cls._one is None:
            cls._one = Krita()
        return cls._one

    def activeDocument(self) -> Document | None:
        return self.front.handle() if self.front is not None and self.front.state.open else None

    def activeWindow(self) -> Window:
        return Window()

    def documents(self) -> list[Document]:
        return list(self.opened)

    def createDocument(self, w: int, h: int, name: str, model: str, depth: str, profile: str, ppi: float) -> Document:
        document = Document((w, h), name, (model, depth, profile or SRGB))
        background = document.createNode("Background", "paintlayer")
        background.setPixelData(bytes([255]) * (w * h * BYTES[(model, depth)]), 0, 0, w, h)
        document.state.root.insert(0, background.data)
        document.state.active = background.data
        return document

    def addDockWidgetFactory(self, factory: DockWidgetFactory) -> None:
        self.dockers.append(factory)

    def action(self, name: str) -> _LowerLayer:
        assert name == "move_layer_down"
        return _LowerLayer()

    def icon(self, name: str) -> QIcon:
        return QIcon()

    def readSetting(self, group: str, name: str, default: str) -> str:
        return self.settings.get((group, name), default)

    def writeSetting(self, group: str, name: str, value: str) -> None:
        self.settings[(group, name)] = value
