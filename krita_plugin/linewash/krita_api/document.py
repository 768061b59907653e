"""One open document: its layers as plain values, frozen copies of them, and the way in for new ones."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Iterator, List, Optional, Tuple

from ..shared.result_names import is_result_group
from .libkis import KritaDocument, Node, Selection
from .pixel_data import ColorSpace, space_of

if TYPE_CHECKING:
    from .application import KritaApp

_PICTURES = ("paintlayer", "grouplayer", "vectorlayer", "clonelayer", "filelayer", "filllayer")
_GRAY_MASKS = ("transparencymask", "selectionmask", "filtermask")


@dataclass(frozen=True)
class Layer:
    """A layer or mask of a picture.

    id: its unique name for ever.  is_picture: whether it has colors of its own to read.  is_mask: whether it is a gray
    mask on another layer.  is_result: whether it is a result group or lies inside one.  parent: id of what it lies in.
    """

    id: str
    name: str
    is_picture: bool
    is_mask: bool
    is_result: bool
    parent: str


class Document:
    """One open document.  Everything here is for the window's own thread."""

    def __init__(self, session_id: int, document: KritaDocument, host: "KritaApp") -> None:
        self.key = session_id
        self.host = host
        self._document = document

    @property
    def is_open(self) -> bool:
        """Whether the painter still has it open."""
        return self._document.rootNode() is not None

    @property
    def active(self) -> bool:
        """Whether it is the one the painter looks at."""
        return self.host.active() is self

    @property
    def size(self) -> Tuple[int, int]:
        """Width and height in pixels; (0, 0) once it is closed."""
        return int(self._document.width()), int(self._document.height())

    @property
    def space(self) -> ColorSpace:
        """Its color space."""
        return space_of(self._document)

    @property
    def is_grayscale(self) -> bool:
        """Whether it can hold no colors."""
        return self.space[0] == "GRAYA"

    @property
    def is_idle(self) -> bool:
        """Whether Krita has nothing left to compute in it just now; asks without waiting."""
        if not self._document.tryBarrierLock():
            return False
        self._document.unlock()
        return True

    def layers(self) -> List[Layer]:
        """All layers and masks, from top to bottom as in the Layers docker."""
        root = self._document.rootNode()
        return list(_walk(root, "", False)) if root is not None else []

    def active_layer(self) -> str:
        """Id of the layer the painter works on; '' when there is none."""
        return node_id(self._document.activeNode())

    def activate(self, layer_id: str) -> None:
        """Make a layer the one the painter works on, if it is still there."""
        node = self.node(layer_id)
        if node is not None:
            self._document.setActiveNode(node)

    def refresh(self) -> None:
        """Compute what is shown anew, which Krita 5 does not do by itself after a layer was hidden by a script.  Blocks."""
        self._document.refreshProjection()

    def root(self) -> Optional[Node]:
        """Krita's node of the whole picture, None once it is closed."""
        return self._document.rootNode()

    def node(self, layer_id: str) -> Optional[Node]:
        """Krita's node of that id in this picture's tree, None when it is not there (any more)."""
        root = self._document.rootNode()
        return _find(root, layer_id) if root is not None and layer_id else None

    def copy_of(self, layer_id: str) -> Optional[Node]:
        """A frozen copy of a layer as Krita's node, in no picture; takes no time, as Krita shares the pixels.  Or None."""
        node = self.node(layer_id)
        return node.duplicate() if node is not None else None

    def selection(self) -> Optional[Selection]:
        """A frozen copy of the selection, None when nothing is selected."""
        selection = self._document.selection()
        return selection.duplicate() if selection is not None else None

    @property
    def selected(self) -> bool:
        """Whether something is selected."""
        return self._document.selection() is not None


def node_id(node: Optional[Node]) -> str:
    """The unique name of one of Krita's nodes; '' for None."""
    return str(node.uniqueId().toString()) if node is not None else ""


def _find(node: Node, layer_id: str) -> Optional[Node]:
    for child in node.childNodes():
        found = child if node_id(child) == layer_id else _find(child, layer_id)
        if found is not None:
            return found
    return None


def _walk(parent: Node, parent_id: str, inside_result: bool) -> Iterator[Layer]:
    for node in reversed(parent.childNodes()):
        kind, name = str(node.type()), str(node.name())
        is_result = inside_result or (kind == "grouplayer" and is_result_group(name))
        layer = Layer(node_id(node), name, kind in _PICTURES, kind in _GRAY_MASKS, is_result, parent_id)
        yield layer
        if kind == "grouplayer" or node.childNodes():
            yield from _walk(node, layer.id, is_result)
