"""The line in which the docker says what goes on: one sentence, and what the painter can do."""

from ..qt import QtCore, QtGui, QtWidgets
from ..state.session import Message, Severity

_COLORS = {Severity.BAD: ("#b3402a", "#f0907a"), Severity.GOOD: ("#3d7a3d", "#9ccf96")}
"""For light and for dark themes."""


class StatusLine(QtWidgets.QLabel):
    """A label that wraps; the whole text, with details for a bug report, is its tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("status")
        self.setWordWrap(True)
        self.setAlignment(QtCore.Qt.AlignmentFlag.AlignLeft | QtCore.Qt.AlignmentFlag.AlignTop)  # one line stands like two
        self.setMinimumHeight(2 * self.fontMetrics().lineSpacing())
        self.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self._color = ""

    def say(self, message: Message) -> None:
        """Show a message."""
        self._show_severity(message.severity)
        text = " ".join(part for part in (message.text, message.hint) if part)
        if text == self.text() and message.detail in self.toolTip():
            return
        self.setText(text)
        self.setToolTip("\n".join(part for part in (text, message.detail) if part))

    def _show_severity(self, severity: Severity) -> None:
        # Looked up at each call, as the painter may have gone to another theme.
        dark = self.palette().color(QtGui.QPalette.ColorRole.Window).lightness() < 128
        color = _COLORS[severity][dark] if severity in _COLORS else ""
        if color != self._color:
            self._color, palette = color, QtGui.QPalette()
            if color:
                palette.setColor(QtGui.QPalette.ColorRole.WindowText, QtGui.QColor(color))
            self.setPalette(palette)
