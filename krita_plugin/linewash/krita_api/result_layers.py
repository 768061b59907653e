"""Results that are in a document already, and the one of which a selection is recolored."""

from dataclasses import dataclass
from typing import Iterator, List, Optional, Tuple

from ..libkis import Node
from .document import Document, is_result_group
from .pixel_data import PixelData

FOREGROUND, BACKGROUND, LINES = "Foreground", "Background", "Lines"
"""Names of a result's two layers, and of a third on top where the line layer shows other lines than were colored, or none."""


@dataclass(frozen=True)
class PreviousResult:
    """An earlier result as it was when Colorize was pressed, to be recolored in a selection."""

    layers: Tuple[Tuple[str, Node], ...]
    """Frozen copies of everything in its group, from bottom to top, each with its role: ``FOREGROUND``, ``BACKGROUND``, or ''
    for what the painter has added.  They are Krita's, and for the window's own thread."""
    selection: PixelData
    """One byte a pixel, 0 = stays as it is."""


def find_newest_result(document: Document, lines_id: str) -> Optional[Node]:
    """The group that holds the newest result; None when there is none.

    Each new result is put next to the line layer, so the newest is the nearest one that shows.  Results that were moved
    elsewhere, or hidden, count when there is no other.
    """
    lines = document.find_node(lines_id)
    parent = lines.parentNode() if lines is not None else None
    if parent is None:
        return None
    siblings = parent.childNodes()
    place = next(i for i, node in enumerate(siblings) if node == lines)
    by_distance = sorted(enumerate(siblings), key=lambda entry: abs(entry[0] - place))
    near = [node for _, node in by_distance if _is_whole_result(node)]
    results = near + [node for node in _find_results(document.root()) if node not in near]
    return next((node for node in results if node.visible()), results[0] if results else None)


def snapshot_layers(group: Node) -> List[Tuple[str, Node]]:
    """Copies of the layers of a result, as ``PreviousResult.layers``; takes no time, as Krita shares the pixels."""
    copies: List[Tuple[str, Node]] = []
    for node in group.childNodes():
        role = _role_of(node)
        # Of two layers with one name the lower one is recolored; the other is taken for the painter's own.
        is_second = any(role == other for other, _ in copies)
        copies.append(("" if is_second else role, node.duplicate()))
    return copies


def layer_of_role(layers: List[Tuple[str, Node]], role: str) -> Node:
    """The first of these layers that has the role."""
    return next(node for other, node in layers if other == role)


def _role_of(node: Node) -> str:
    name = str(node.name())
    return name if name in (FOREGROUND, BACKGROUND) and str(node.type()) == "paintlayer" else ""


def _is_whole_result(node: Node) -> bool:
    return is_result_group(node) and {FOREGROUND, BACKGROUND} <= {_role_of(child) for child in node.childNodes()}


def _find_results(parent: Optional[Node]) -> Iterator[Node]:
    """Results anywhere below a node, from top to bottom."""
    for node in reversed(parent.childNodes() if parent is not None else []):
        if _is_whole_result(node):
            yield node
        else:
            yield from _find_results(node)
