"""A quiet offer of finished pictures that wait in the backend."""

from typing import Sequence

from ..qt import QtCore, QtWidgets
from ..shared.protocol import JobStatus


class UnclaimedRow(QtWidgets.QWidget):
    """``import_result`` and ``discard_all`` are its buttons; it is there only while something waits."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("waiting")
        self._label = QtWidgets.QLabel()
        self._label.setWordWrap(True)
        self.bring, self.discard = QtWidgets.QToolButton(), QtWidgets.QToolButton()
        for button, name in ((self.bring, "bringIn"), (self.discard, "discard")):
            button.setObjectName(name)
            button.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        self.discard.setText("Discard")
        self.discard.setAutoRaise(True)
        grid = QtWidgets.QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        grid.setColumnStretch(2, 1)
        grid.addWidget(self._label, 0, 0, 1, 3)
        grid.addWidget(self.bring, 1, 0)
        grid.addWidget(self.discard, 1, 1)
        self.hide()

    def show_jobs(self, jobs: Sequence[JobStatus]) -> None:
        """Offer these, the last one first."""
        self.setVisible(bool(jobs))
        if not jobs:
            return
        several, last = len(jobs) > 1, "%s · seed %d" % (jobs[-1].model, jobs[-1].seed)
        self._label.setText("%d finished pictures are waiting." % len(jobs) if several else "A finished picture is waiting.")
        self.bring.setText("Bring the last one in" if several else "Bring it in")
        self.bring.setToolTip("Add it to this picture, at its lines: " + last)
        self.discard.setToolTip("Forget them for good" if several else "Forget it for good")
