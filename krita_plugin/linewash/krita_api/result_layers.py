"""Results that are in a picture already, and the one of which a selection is recolored."""

from dataclasses import dataclass
from typing import Iterator, List, Optional, Tuple

from ..shared.result_names import is_result_group
from .document import Document
from .libkis import Node
from .pixel_data import PixelData

FOREGROUND, BACKGROUND, LINES = "Foreground", "Background", "Lines"
"""Names of a result's two layers, and of a third on top where the line layer shows other lines than were colored, or none."""


@dataclass(frozen=True)
class PreviousResult:
    """An earlier result as it was when Color was pressed, to be recolored in a selection.

    layers: frozen copies of everything in its group, from bottom to top, as Krita's nodes; each with ``FOREGROUND``,
    ``BACKGROUND``, or '' for what the painter has added.  selection: one byte a pixel, 0 = stays as it is.
    """

    layers: Tuple[Tuple[str, Node], ...]
    selection: PixelData


def find_newest_result(picture: Document, lines_id: str) -> Optional[Node]:
    """Krita's node of the group that holds the newest result; None when there is none.

    The writer puts each new result next to the line layer, so the newest is the nearest one that shows.  Results that were
    moved elsewhere, or hidden, count when there is no other.
    """
    lines = picture.node(lines_id)
    parent = lines.parentNode() if lines is not None else None
    if lines is None or parent is None:
        return None
    siblings = parent.childNodes()
    place = next(i for i, node in enumerate(siblings) if node == lines)
    near = [node for _, node in sorted(enumerate(siblings), key=lambda entry: abs(entry[0] - place)) if _is_result(node)]
    found = near + [node for node in _groups(picture.root()) if node not in near]
    return next((node for node in found if node.visible()), found[0] if found else None)


def snapshot_layers(group: Node) -> "List[Tuple[str, Node]]":
    """Copies of the layers of a result, from bottom to top, as in ``Kept``; takes no time, as Krita shares the pixels."""
    copies: List[Tuple[str, Node]] = []
    for node in group.childNodes():
        role = _role(node)
        copies.append(("" if any(role == known for known, _ in copies) else role, node.duplicate()))
    return copies


def copy_of(layers: "List[Tuple[str, Node]]", role: str) -> Node:
    """The copy that is one of the two layers."""
    return next(node for known, node in layers if known == role)


def _role(node: Node) -> str:
    name = str(node.name())
    return name if name in (FOREGROUND, BACKGROUND) and str(node.type()) == "paintlayer" else ""


def _is_result(node: Node) -> bool:
    if str(node.type()) != "grouplayer" or not is_result_group(str(node.name())):
        return False
    return {FOREGROUND, BACKGROUND} <= {_role(child) for child in node.childNodes()}


def _groups(parent: Optional[Node]) -> Iterator[Node]:
    """Results anywhere below a node, from top to bottom."""
    for node in reversed(parent.childNodes() if parent is not None else []):
        if _is_result(node):
            yield node
        else:
            yield from _groups(node)
