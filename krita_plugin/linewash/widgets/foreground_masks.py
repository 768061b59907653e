"""The masks that are united with the first one, and the image of what they make together."""

from typing import List, Optional, Sequence, Tuple

from ..qt import QtCore, QtGui, QtWidgets, Signal
from ..state.choices import ForegroundMask
from .choice_box import ChoiceBox

CHOOSE = (ForegroundMask(), "Choose a mask…")
"""The entry of a row in which nothing is chosen yet."""
Entry = Tuple[ForegroundMask, str]


class MaskRows(QtWidgets.QWidget):
    """One list and one cross for each mask.

    ``chosen`` carries the number of a row and its mask, ``removed`` the number of a row.
    """

    chosen = Signal(int, object)
    removed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._rows: List[Tuple[QtWidgets.QWidget, ChoiceBox]] = []
        self._column = QtWidgets.QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self.hide()

    def show_masks(self, masks: Sequence[ForegroundMask], entries: Sequence[Entry]) -> None:
        """Show a row for each of these masks; ``entries`` are what can be chosen."""
        while len(self._rows) < len(masks):
            self._rows.append(self._create_row(len(self._rows)))
        for number, (row, box) in enumerate(self._rows):
            row.setVisible(number < len(masks))
            if number < len(masks):
                box.show_entries([CHOOSE, *entries], masks[number])
        self.setVisible(bool(masks))

    def _create_row(self, number: int) -> "Tuple[QtWidgets.QWidget, ChoiceBox]":
        box = ChoiceBox("mask%d" % (number + 2), "What belongs to the foreground as well")
        box.chosen.connect(lambda mask: self.chosen.emit(number, mask))
        cross = QtWidgets.QToolButton()
        cross.setObjectName("removeMask%d" % (number + 2))
        cross.setText("\N{MULTIPLICATION SIGN}")
        cross.setToolTip("Take this mask out again")
        cross.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        cross.clicked.connect(lambda: self.removed.emit(number))
        row = QtWidgets.QWidget()
        line = QtWidgets.QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(box, 1)
        line.addWidget(cross)
        self._column.addWidget(row)
        return row, box


class ForegroundImage(QtWidgets.QWidget):
    """Hidden until there is an image."""

    def __init__(self) -> None:
        super().__init__()
        self._image, self._note = QtWidgets.QLabel(), QtWidgets.QLabel()
        self._image.setObjectName("foregroundImage")
        self._note.setEnabled(False)  # in the color of what is said by the way
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._image)
        column.addWidget(self._note)
        self._shown: Optional[QtGui.QImage] = None
        self.hide()

    def show_foreground(self, image: "Optional[QtGui.QImage]", tip: str = "", note: str = "") -> None:
        """Show an image, and a note below it; None shows nothing."""
        self.setVisible(image is not None)
        self.setToolTip(tip)
        self._note.setVisible(bool(note))
        self._note.setText(note)
        if image is not None and image != self._shown:
            self._image.setPixmap(QtGui.QPixmap.fromImage(image))
        self._shown = image
