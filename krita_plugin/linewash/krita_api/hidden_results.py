"""Results hidden by later ones on the same paper: they show again when the later one is undone, and hide when it is redone.

Krita's scripting cannot make hiding a layer part of an undo step, so the plugin checks now and then whether the later result
is there.
"""

from dataclasses import dataclass
from typing import Dict, Tuple

from .document import Document


@dataclass(frozen=True)
class WrittenGroup:
    """A result in the document."""

    group: str
    """Id of its group."""
    hidden: Tuple[str, ...] = ()
    """Ids of the earlier results that were hidden for it."""


class HiddenResults:
    """Which results of one document hide which others."""

    def __init__(self) -> None:
        self._hiding: Dict[WrittenGroup, bool] = {}

    def add(self, written: WrittenGroup) -> None:
        """Remember a result that hid others."""
        if written.hidden:
            self._hiding[written] = True

    def sync_visibility(self, document: Document) -> None:
        """Show what a result hid when it has been undone, hide it again when it has been redone."""
        has_changed = False
        for written, is_hiding in self._hiding.items():
            is_there = document.find_node(written.group) is not None
            if is_there == is_hiding or not document.is_idle:
                continue
            self._hiding[written] = is_there
            for node in filter(None, map(document.find_node, written.hidden)):
                node.setVisible(not is_there)
            has_changed = True
        # Last, and once: it handles events, in which another result may be added here or the document be closed.
        if has_changed:
            document.refresh_projection()
