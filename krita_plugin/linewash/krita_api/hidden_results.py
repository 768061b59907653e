"""Results hidden by later ones on the same paper: they show again when the later one is undone, and hide when it is redone.

Krita's scripting cannot make hiding a layer part of an undo step, so this looks now and then whether the later result is there.
"""

from dataclasses import dataclass
from typing import Dict, Tuple

from .document import Document


@dataclass(frozen=True)
class WrittenGroup:
    """What the writer did: the id of the new group, and the ids of the earlier results it hid."""

    group: str
    covered: Tuple[str, ...] = ()


class HiddenResults:
    """Who hides whom in one picture."""

    def __init__(self) -> None:
        self._hiding: Dict[WrittenGroup, bool] = {}

    def add(self, written: WrittenGroup) -> None:
        """Remember a result that hid others."""
        if written.covered:
            self._hiding[written] = True

    def sync_visibility(self, picture: Document) -> None:
        """Show what a result hid when it has been undone, hide it again when it has been redone."""
        for written, hiding in self._hiding.items():
            there = picture.node(written.group) is not None
            if there == hiding or not picture.is_idle:
                continue
            self._hiding[written] = there
            for node in filter(None, map(picture.node, written.covered)):
                node.setVisible(not there)
            picture.refresh()
