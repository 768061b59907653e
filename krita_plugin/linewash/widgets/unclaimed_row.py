"""The offer of finished results that nobody has acknowledged."""

from typing import Sequence

from ..qt import QtCore, QtWidgets
from ..shared.protocol import JobStatus


class UnclaimedRow(QtWidgets.QWidget):
    """``bring_in`` and ``discard`` are its buttons; it shows only while there is an unclaimed result."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("unclaimed")
        self._label = QtWidgets.QLabel()
        self._label.setWordWrap(True)
        self.bring_in, self.discard = QtWidgets.QToolButton(), QtWidgets.QToolButton()
        for button, name in ((self.bring_in, "bringIn"), (self.discard, "discard")):
            button.setObjectName(name)
            button.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        self.discard.setText("Discard")
        self.discard.setAutoRaise(True)
        grid = QtWidgets.QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        grid.setColumnStretch(2, 1)
        grid.addWidget(self._label, 0, 0, 1, 3)
        grid.addWidget(self.bring_in, 1, 0)
        grid.addWidget(self.discard, 1, 1)
        self.hide()

    def show_jobs(self, jobs: Sequence[JobStatus]) -> None:
        """Offer these, the last one first."""
        self.setVisible(bool(jobs))
        if not jobs:
            return
        several, last = len(jobs) > 1, "%s · seed %d" % (jobs[-1].model, jobs[-1].seed)
        self._label.setText("%d finished results are waiting." % len(jobs) if several else "A finished result is waiting.")
        self.bring_in.setText("Bring the last one in" if several else "Bring it in")
        self.bring_in.setToolTip("Add it to this document, at its lines: " + last)
        self.discard.setToolTip("Forget them for good" if several else "Forget it for good")
