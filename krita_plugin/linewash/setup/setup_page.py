"""The docker's page while the backend is not there: what Linewash needs, how far it is, and what to press."""

from typing import Optional

from ..qt import QtCore, QtWidgets, Signal
from ..shared.setup_progress import SetupProgress
from ..state.session import Message
from ..widgets.status_line import StatusLine
from .page_texts import PageText, progress_text, sentence_text

STEPS = 1000


class SetupPage(QtWidgets.QWidget):
    """Creates and fills the widgets; the docker connects them."""

    pressed = Signal()
    """The button of what goes on."""
    passed = Signal()
    """The button of the way past the page."""

    def __init__(self) -> None:
        super().__init__()
        self._title, self._body, self._sentence, self._count = (QtWidgets.QLabel() for _ in range(4))
        for label, name in ((self._title, "setupTitle"), (self._body, "setupText"), (self._sentence, "setupSentence")):
            label.setObjectName(name)
            label.setWordWrap(True)
            label.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self._count.setObjectName("setupCount")
        emphasis = self._title.font()
        emphasis.setBold(True)
        self._title.setFont(emphasis)
        self._bar = QtWidgets.QProgressBar()
        self._bar.setObjectName("setupProgress")
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(10)
        self._message = StatusLine()
        self._message.setObjectName("setupMessage")
        self._button, self._other = QtWidgets.QPushButton(), QtWidgets.QPushButton()
        self._button.setObjectName("setupButton")
        self._other.setObjectName("setupOther")
        self._button.setFont(emphasis)
        for button in (self._button, self._other):
            button.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        self._button.clicked.connect(lambda: self.pressed.emit())
        self._other.clicked.connect(lambda: self.passed.emit())
        self._lay_out()

    def show_text(self, text: PageText, is_pausing: bool) -> None:
        """Show words and buttons."""
        self._title.setText(text.title)
        self._body.setText(text.body)
        self._body.setVisible(bool(text.body))
        self._message.say(text.message)
        self._message.setVisible(text.message != Message())
        self._button.setText("Pausing …" if is_pausing else text.button)
        self._button.setEnabled(not is_pausing)
        self._button.setVisible(bool(text.button))
        self._other.setText(text.other_button)
        self._other.setVisible(bool(text.other_button))

    def show_progress(self, progress: Optional[SetupProgress], is_running: bool) -> None:
        """Show how far the set-up is; the bar is there while it runs, and stands still while it is paused."""
        fraction = progress.fraction if progress is not None else None
        self._bar.setVisible(is_running or fraction is not None)
        if fraction is None:
            self._bar.setRange(0, 0)  # moves to and fro
        else:
            self._bar.setRange(0, STEPS)
            self._bar.setValue(int(fraction * STEPS))
        count = progress_text(progress)
        self._count.setText(count)
        self._count.setVisible(bool(count))
        sentence = sentence_text(progress) if is_running else ""
        self._sentence.setText(sentence)
        self._sentence.setVisible(bool(sentence))

    def _lay_out(self) -> None:
        content = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        buttons = QtWidgets.QHBoxLayout()
        buttons.addWidget(self._button, 2)
        buttons.addWidget(self._other, 1)
        for widget in (self._title, self._message, self._body, self._sentence, self._bar, self._count):
            column.addWidget(widget)
        column.addLayout(buttons)
        column.addStretch(1)
        area = QtWidgets.QScrollArea()
        area.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(content)
        outer = QtWidgets.QVBoxLayout(self)
        outer.setContentsMargins(6, 6, 6, 6)
        outer.addWidget(area)
