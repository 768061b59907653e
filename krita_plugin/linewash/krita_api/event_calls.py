"""The calls of Krita that handle events before they return; nothing else in the plugin makes them.

Krita waits for itself inside them, and meanwhile handles timers, calls from threads, clicks and the closing of documents and
windows.  So when one returns anything may have changed: a document may be closed, a layer gone, a docker deleted, another run
begun, Krita about to end.  Whoever calls one looks up anew whatever it needs afterwards.

Which calls these are differs from version to version; ``tests/krita/test_event_calls.py`` measures it in each.
"""

from typing import Callable, Optional, TypeVar

from ..libkis import Krita, KritaDocument, ManagedColor, Node
from .color_space import ColorSpace

T = TypeVar("T")


class EventCalls:
    """Makes these calls.  Anything may have changed when one of its methods returns."""

    def make(self, call: Callable[[], T]) -> T:
        """What ``call`` returns.  All calls go through here."""
        return call()

    def add_child_node(self, parent: Node, child: Node, above: Optional[Node]) -> None:
        """Put a layer into another, directly above ``above`` or on top; Krita may leave it out and does not say so."""
        self.make(lambda: parent.addChildNode(child, above))

    def remove_layer(self, node: Node) -> None:
        """Take a layer out of its document."""
        self.make(node.remove)

    def set_blending_mode(self, node: Node, mode: str) -> None:
        """Set how a layer is laid over those below; an undo step in the document that it was made in."""
        self.make(lambda: node.setBlendingMode(mode))

    def convert_layer(self, node: Node, space: ColorSpace) -> bool:
        """Convert a layer; False when Krita does not know the profile."""
        return self.make(lambda: node.setColorSpace(*space))

    def convert_color(self, color: ManagedColor, space: ColorSpace) -> bool:
        """Convert a color; False when Krita does not know the profile.  None of the four Kritas handles events in it."""
        return self.make(lambda: color.setColorSpace(*space))

    def convert_document(self, document: KritaDocument, space: ColorSpace) -> bool:
        """Convert a document; False when Krita does not know the profile."""
        return self.make(lambda: document.setColorSpace(*space))

    def resize_canvas(self, document: KritaDocument, width: int, height: int) -> None:
        """Give a document another size, with the upper left corner where it is."""
        self.make(lambda: document.resizeImage(0, 0, width, height))

    def move_canvas(self, document: KritaDocument, x: int, y: int, width: int, height: int) -> None:
        """Give a document another size; what was at (x, y) comes into its upper left corner."""
        self.make(lambda: document.resizeImage(x, y, width, height))

    def create_document(self, width: int, height: int, name: str, space: ColorSpace) -> KritaDocument:
        """A new document, in no window."""
        return self.make(lambda: Krita.instance().createDocument(width, height, name, *space, 72.0))

    def close_document(self, document: KritaDocument) -> None:
        """Close a document."""
        self.make(document.close)

    def activate_layer(self, document: KritaDocument, node: Node) -> None:
        """Make a layer the one that the painter works on."""
        self.make(lambda: document.setActiveNode(node))

    def refresh_projection(self, document: KritaDocument) -> None:
        """Compute what a document shows anew."""
        self.make(document.refreshProjection)

    def trigger_action(self, name: str) -> None:
        """Do what the menu entry of that name does, in the active document."""
        self.make(lambda: Krita.instance().action(name).trigger())
