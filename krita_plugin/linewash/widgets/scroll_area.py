"""Room for choices that come and go in a column of dockers that stays as it is."""

# pyright: reportOptionalMemberAccess=false
# PyQt6 types nearly everything that Qt returns as Optional, also what is always there.

from ..qt import QtCore, QtGui, QtWidgets

KRITAS_OWN, BELOW = 560, 120
"""Pixels of height that Krita needs at least beside this docker as it comes, and the docker beside what is scrolled."""


def least_height(full: int, row: int, screen: int) -> int:
    """The least height on a screen of that height: all of it, what room there is, or one row and the beginning of the next."""
    return max(row * 3 // 2, min(full, screen - KRITAS_OWN - BELOW))


class ScrollArea(QtWidgets.QScrollArea):
    """As high as what it holds where there is room; never smaller than that was at first, if the screen is high enough for it.

    In between it scrolls.  Else whatever comes later would push the other dockers together, or Krita's window off the screen.
    """

    def __init__(self, held: "QtWidgets.QWidget", row_height: int) -> None:
        super().__init__()
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)  # the keyboard belongs to the canvas
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Maximum)
        self.setWidget(held)
        smallest, screen = held.minimumSizeHint(), QtGui.QGuiApplication.primaryScreen().availableGeometry()
        width = smallest.width() + self.verticalScrollBar().sizeHint().width()
        self.setMinimumSize(width, least_height(smallest.height(), row_height, screen.height()))

    def sizeHint(self) -> "QtCore.QSize":
        """That of what it holds."""
        return self.widget().sizeHint()

    def eventFilter(self, watched: "QtCore.QObject", event: "QtCore.QEvent") -> bool:
        """What it holds has another size, as when a list of layers comes or goes."""
        if event.type() == QtCore.QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)
