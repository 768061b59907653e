"""The small menu of the docker: repair, update or remove the backend, each after a question."""

# pyright: reportOptionalMemberAccess=false
# PyQt6 types nearly everything that Qt returns as Optional, also what is always there.

from functools import partial
from typing import Any

from ..qt import QtCore, QtWidgets, Signal
from ..shared.setup_progress import SetupTask

QUESTIONS = {
    SetupTask.REPAIR: (
        "Repair Linewash",
        "Every file of the coloring program is checked, and what is damaged is downloaded again.",
    ),
    SetupTask.INSTALL: ("Update Linewash", "The coloring program is brought to the version of this docker."),
    SetupTask.REMOVE: (
        "Remove Linewash",
        "The coloring program is removed from this computer. Your documents, models that you added, and results that are not "
        "in a document yet stay.",
    ),
}


class SetupMenu(QtWidgets.QToolButton):
    """A button with three dots; ``chosen`` carries the ``SetupTask`` the painter has agreed to."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("setupMenu")
        self.setText("⋮")
        self.setToolTip("Repair, update or remove Linewash")
        self.setAutoRaise(True)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        self.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        menu = QtWidgets.QMenu(self)
        self._actions = {task: menu.addAction(words[0] + "…") for task, words in QUESTIONS.items()}
        for task, action in self._actions.items():
            action.triggered.connect(partial(self._ask, task))
        self.setMenu(menu)

    def offer_update(self, is_old: bool) -> None:
        """Whether there is an update to offer."""
        self._actions[SetupTask.INSTALL].setVisible(is_old)

    def _ask(self, task: SetupTask, *_: Any) -> None:
        title, text = QUESTIONS[task]
        box = QtWidgets.QMessageBox(self.window())
        box.setObjectName("setupQuestion")
        box.setWindowTitle(title)
        box.setText(text)
        agree = box.addButton(title.split()[0], QtWidgets.QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QtWidgets.QMessageBox.StandardButton.Cancel)
        box.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)

        def answer() -> None:
            if box.clickedButton() is agree:
                self.chosen.emit(task)

        box.finished.connect(lambda _: answer())
        box.open()  # not exec(): that would hold up whoever called this menu
