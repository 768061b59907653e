"""Room for choices that come and go, in a docker that keeps its height."""

# pyright: reportOptionalMemberAccess=false
# PyQt6 types nearly everything that Qt returns as Optional, also what is always there.

from ..qt import QtCore, QtGui, QtWidgets

KRITA_HEIGHT, FIXED_HEIGHT = 560, 120
"""Pixels of height that Krita needs beside this docker, and that the docker needs beside what is scrolled."""


def least_height(full: int, row: int, screen: int) -> int:
    """The minimum height on a screen of that height: the full one, what room there is, or one row and a half."""
    return max(row * 3 // 2, min(full, screen - KRITA_HEIGHT - FIXED_HEIGHT))


class ScrollArea(QtWidgets.QScrollArea):
    """As high as its content where there is room; never smaller than the content was at first, if the screen is high enough.

    In between it scrolls.  Otherwise a longer form would squeeze the other dockers, or push Krita's window off the screen.
    """

    def __init__(self, content: "QtWidgets.QWidget", row_height: int) -> None:
        super().__init__()
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)  # the keyboard belongs to the canvas
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Maximum)
        self.setWidget(content)
        smallest, screen = content.minimumSizeHint(), QtGui.QGuiApplication.primaryScreen().availableGeometry()
        width = smallest.width() + self.verticalScrollBar().sizeHint().width()
        self.setMinimumSize(width, least_height(smallest.height(), row_height, screen.height()))

    def sizeHint(self) -> "QtCore.QSize":
        """That of its content."""
        return self.widget().sizeHint()

    def eventFilter(self, watched: "QtCore.QObject", event: "QtCore.QEvent") -> bool:
        """Follow the content to another size, as when a list of layers comes or goes."""
        if event.type() == QtCore.QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)
