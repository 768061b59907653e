"""Room for choices in a column of dockers that may be lower than they are."""

from ..qt import QtCore, QtWidgets


class Scrolled(QtWidgets.QScrollArea):
    """As high as what it holds where there is room; where there is less, that scrolls.  Never narrower than it needs.

    Else Krita could make no docker of the column lower, on a small screen not even its own window.
    """

    def __init__(self, held: "QtWidgets.QWidget") -> None:
        super().__init__()
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)  # the keyboard belongs to the canvas
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Maximum)
        self.setWidget(held)
        self.setMinimumWidth(held.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width())

    def sizeHint(self) -> "QtCore.QSize":
        """That of what it holds."""
        return self.widget().sizeHint()

    def eventFilter(self, watched: "QtCore.QObject", event: "QtCore.QEvent") -> bool:
        """What it holds has another size, as when a list of layers comes or goes."""
        if event.type() == QtCore.QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)
