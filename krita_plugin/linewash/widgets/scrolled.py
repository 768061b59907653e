"""Room for choices that come and go in a column of dockers that stays as it is."""

from ..qt import QtCore, QtWidgets


class Scrolled(QtWidgets.QScrollArea):
    """As high as what it holds where there is room; never smaller than that was at first.  In between it scrolls.

    Else whatever comes later would push the other dockers together, or Krita's window off a small screen.
    """

    def __init__(self, held: "QtWidgets.QWidget") -> None:
        super().__init__()
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)  # the keyboard belongs to the canvas
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Maximum)
        self.setWidget(held)
        smallest = held.minimumSizeHint()
        self.setMinimumSize(smallest.width() + self.verticalScrollBar().sizeHint().width(), smallest.height())

    def sizeHint(self) -> "QtCore.QSize":
        """That of what it holds."""
        return self.widget().sizeHint()

    def eventFilter(self, watched: "QtCore.QObject", event: "QtCore.QEvent") -> bool:
        """What it holds has another size, as when a list of layers comes or goes."""
        if event.type() == QtCore.QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)
