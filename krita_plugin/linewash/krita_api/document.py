"""One open document: its layers as plain values, frozen copies of them, and Krita's nodes by their ids."""

from dataclasses import dataclass
from typing import Iterator, List, Optional, Tuple

from ..libkis import Krita, KritaDocument, Node, Selection
from ..qt import QtCore
from ..shared import result_names
from .color_space import ColorSpace, color_space_of
from .colorize_masks import COLORIZE_MASK, KeyStrokeMask
from .event_calls import EventCalls

_COLOR_LAYERS = ("paintlayer", "grouplayer", "vectorlayer", "clonelayer", "filelayer", "filllayer")
_GRAY_MASKS = ("transparencymask", "selectionmask", "filtermask")


@dataclass(frozen=True)
class Layer:
    """A layer or mask of a document."""

    id: str
    """Its unique name for ever."""
    name: str
    has_colors: bool
    """Whether it has colors of its own to read."""
    is_mask: bool
    """Whether it is a gray mask on another layer."""
    is_result: bool
    """Whether it is a result group or lies inside one."""
    parent: str
    """Id of what it lies in."""
    has_key_strokes: bool = False
    """Whether it is a colorize mask whose key strokes Krita lets a plugin read."""


class Document:
    """One open document.  Everything here is for the window's own thread."""

    def __init__(self, session_id: int, document: KritaDocument, event_calls: EventCalls) -> None:
        self.session_id = session_id
        self._event_calls = event_calls
        self._document = document
        self._last_active = ""

    @property
    def is_open(self) -> bool:
        """Whether the painter still has it open."""
        return self._document.rootNode() is not None

    @property
    def size(self) -> Tuple[int, int]:
        """Width and height in pixels; (0, 0) once it is closed."""
        return int(self._document.width()), int(self._document.height())

    @property
    def color_space(self) -> ColorSpace:
        """Its color space."""
        return color_space_of(self._document)

    @property
    def is_grayscale(self) -> bool:
        """Whether it can hold no colors."""
        return self.color_space[0] == "GRAYA"

    @property
    def is_idle(self) -> bool:
        """Whether Krita has nothing left to compute in it just now; asks without waiting."""
        if not self._document.tryBarrierLock():
            return False
        self._document.unlock()
        return True

    @property
    def has_selection(self) -> bool:
        """Whether something is selected."""
        return self._document.selection() is not None

    def layers(self) -> List[Layer]:
        """All layers and masks, from top to bottom as in the Layers docker."""
        root = self._document.rootNode()
        return list(_walk(root, "", False)) if root is not None else []

    def active_layer(self) -> str:
        """Id of the layer the painter works on, '' when there is none; behind another document, the one last seen here.

        Krita's ``Document.activeNode`` tells it as well, but since Krita 5.3 it handles events before it returns, and so lets
        this very code be called again in the middle.  The selected layers of the view are the active one alone, or several.
        """
        window = Krita.instance().activeWindow()
        view = window.activeView() if window is not None else None
        if view is not None and view.document() == self._document:
            ids = [node_id(node) for node in view.selectedNodes()]
            if len(ids) == 1 or self._last_active not in ids:
                self._last_active = ids[-1] if ids else ""
        return self._last_active

    def activate(self, layer_id: str) -> None:
        """Make a layer the one the painter works on, if it is still there.  Handles events, see ``event_calls.py``."""
        node = self.find_node(layer_id)
        if node is not None:
            self._event_calls.activate_layer(self._document, node)

    def refresh_projection(self) -> None:
        """Compute what is shown anew, which Krita 5 does not do by itself after a script hid a layer.

        Blocks and handles events, see ``event_calls.py``.
        """
        self._event_calls.refresh_projection(self._document)

    def root(self) -> Optional[Node]:
        """Krita's node of the whole document, None once it is closed."""
        return self._document.rootNode()

    def find_node(self, layer_id: str) -> Optional[Node]:
        """Krita's node of that id in this document's tree, None when it is not there (any more)."""
        root = self._document.rootNode()
        if root is None or not layer_id:
            return None
        # Krita 5.1 answers with an object that is no Node; then its layers are searched here, one by one.
        node = self._document.nodeByUniqueID(QtCore.QUuid(layer_id))
        return node if node is None or isinstance(node, Node) else _find(root, layer_id)

    def copy_layer(self, layer_id: str) -> Optional[Node]:
        """A frozen copy of a layer as Krita's node, in no document, or None.  Takes no time, as Krita shares the pixels."""
        node = self.find_node(layer_id)
        return node.duplicate() if node is not None else None

    def shows(self, layer_id: str) -> bool:
        """Whether a layer and all that it lies in are visible."""
        node = self.find_node(layer_id)
        while node is not None and node.visible():
            node = node.parentNode()
        return node is None

    def copy_selection(self) -> Optional[Selection]:
        """A frozen copy of the selection, None when nothing is selected."""
        selection = self._document.selection()
        return selection.duplicate() if selection is not None else None


def node_id(node: Optional[Node]) -> str:
    """The unique name of one of Krita's nodes; '' for None."""
    return str(node.uniqueId().toString()) if node is not None else ""


def is_result_group(node: Node) -> bool:
    """Whether a node is the group of a result; its name decides."""
    return str(node.type()) == "grouplayer" and result_names.is_result_group(str(node.name()))


def _find(parent: Node, layer_id: str) -> Optional[Node]:
    for child in parent.childNodes():
        node = child if node_id(child) == layer_id else _find(child, layer_id)
        if node is not None:
            return node
    return None


def _walk(parent: Node, parent_id: str, inside_result: bool) -> Iterator[Layer]:
    for node in reversed(parent.childNodes()):
        kind, name = str(node.type()), str(node.name())
        is_result = inside_result or is_result_group(node)
        has_key_strokes = kind == COLORIZE_MASK and isinstance(node, KeyStrokeMask)
        is_gray, has_colors = kind in _GRAY_MASKS, kind in _COLOR_LAYERS
        layer = Layer(node_id(node), name, has_colors, is_gray, is_result, parent_id, has_key_strokes)
        yield layer
        yield from _walk(node, layer.id, is_result)
