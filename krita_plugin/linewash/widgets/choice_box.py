"""A drop-down list that can be refreshed at any time without disturbing the painter."""

# pyright: reportOptionalMemberAccess=false
# PyQt6 types nearly everything that Qt returns as Optional, also what is always there.

from typing import Any, Sequence, Tuple

from ..qt import QtCore, QtGui, QtWidgets, Signal


class ChoiceBox(QtWidgets.QComboBox):
    """Entries are pairs of a value and the text shown; ``chosen`` carries the value the painter picks."""

    chosen = Signal(object)

    def __init__(self, name: str, tip: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setToolTip(tip)
        # Else the longest layer name would widen Krita's whole column of dockers.
        self.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(2)
        # A click must not take the keyboard from the canvas, where letters and Space are the painter's shortcuts.
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        self._entries: Tuple[Tuple[Any, str], ...] = ()
        self.currentIndexChanged.connect(self._emit_chosen)

    def show_entries(self, entries: Sequence[Tuple[Any, str]], current: Any) -> None:
        """Show these entries, with the one of value ``current`` chosen (none when there is none)."""
        if self.view().isVisible():
            return  # the painter is choosing; the next refresh comes soon
        index = next((i for i, (value, _) in enumerate(entries) if value == current), -1)
        if tuple(entries) == self._entries and index == self.currentIndex():
            return
        self._entries = tuple(entries)
        blocked = self.blockSignals(True)
        self.clear()
        self.addItems([text for _, text in entries])
        self.setCurrentIndex(index)
        self.blockSignals(blocked)

    def showPopup(self) -> None:
        """Open the list, wide enough for its texts, which may be cut in the box."""
        frame = 2 * self.view().frameWidth() + self.view().verticalScrollBar().sizeHint().width()
        self.view().setMinimumWidth(max(self.width(), self.view().sizeHintForColumn(0) + frame))
        super().showPopup()

    def wheelEvent(self, event: "QtGui.QWheelEvent") -> None:
        """Scrolling the column of dockers must not change a choice."""
        event.ignore()

    def _emit_chosen(self, index: int) -> None:
        if 0 <= index < len(self._entries):
            self.chosen.emit(self._entries[index][0])
