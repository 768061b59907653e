"""Widgets for one parameter each, created from its description, for half of a column of 260 pixels.

Each has ``changed`` (Signal, the value the painter set), ``show_value`` and ``busy`` (the painter is just typing in it).
"""

# pyright: reportOptionalMemberAccess=false
# PyQt6 types nearly everything that Qt returns as Optional, also what is always there.

from typing import Any, Union

from ..qt import QtCore, QtGui, QtWidgets, Signal
from ..shared.model_spec import MAX_TEXT, ParameterInfo
from .choice_box import ChoiceBox

DEFAULT_STEPS = 100
"""Into so many steps a range is divided when its description names none."""


class NumberField(QtWidgets.QWidget):
    """A slider, and beside it the number, to be typed."""

    changed = Signal(object)

    def __init__(self, info: ParameterInfo) -> None:
        super().__init__()
        self._info = info
        is_integer = info.kind == "integer"
        self._step = info.step or (1 if is_integer else (info.high - info.low) / DEFAULT_STEPS)
        self._slider = _Slider()
        self._slider.setObjectName("slide_" + info.name)
        self._slider.setRange(0, max(1, round((info.high - info.low) / self._step)))
        self._number: Union[QtWidgets.QSpinBox, QtWidgets.QDoubleSpinBox]
        if is_integer:
            self._number = QtWidgets.QSpinBox()
            self._number.setRange(int(info.low), int(info.high))
            self._number.setSingleStep(int(self._step))
        else:
            self._number = QtWidgets.QDoubleSpinBox()
            self._number.setDecimals(1 if self._step * 10 == int(self._step * 10) else 2)
            self._number.setRange(info.low, info.high)
            self._number.setSingleStep(self._step)
        self._number.setObjectName("set_" + info.name)
        self._number.setButtonSymbols(QtWidgets.QAbstractSpinBox.ButtonSymbols.NoButtons)
        self._number.setFocusPolicy(QtCore.Qt.FocusPolicy.ClickFocus)
        # A number counts when it is typed in full, not after each digit.
        self._number.setKeyboardTracking(False)
        self._number.installEventFilter(self)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self._slider, 1)
        row.addWidget(self._number)
        self._slider.valueChanged.connect(self._on_slider_moved)
        self._number.valueChanged.connect(self._on_number_typed)
        self._number.lineEdit().returnPressed.connect(self._number.clearFocus)  # the keyboard goes back to the canvas

    @property
    def number_width(self) -> int:
        """Pixels that the number needs."""
        return self._number.sizeHint().width()

    def set_number_width(self, width: int) -> None:
        """Make the number as wide as its neighbors'."""
        self._number.setFixedWidth(width)

    @property
    def busy(self) -> bool:
        """Whether the painter is typing."""
        return self._number.hasFocus()

    def show_value(self, value: Any) -> None:
        """Show a number."""
        for widget, widget_value in ((self._number, value), (self._slider, round((value - self._info.low) / self._step))):
            # Else showing a value would count as a change by the painter.
            blocked = widget.blockSignals(True)
            widget.setValue(widget_value)
            widget.blockSignals(blocked)

    def eventFilter(self, watched: "QtCore.QObject", event: "QtCore.QEvent") -> bool:
        """Scrolling the column of dockers must not change a number."""
        if event.type() == QtCore.QEvent.Type.Wheel:
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _on_slider_moved(self, place: int) -> None:
        value = min(self._info.high, self._info.low + place * self._step)
        self._emit_value(int(value) if self._info.kind == "integer" else round(value, 6))

    def _on_number_typed(self, value: Any) -> None:
        self._emit_value(value if self._info.kind == "integer" else round(value, 6))

    def _emit_value(self, value: Any) -> None:
        self.show_value(value)
        self.changed.emit(value)


class SwitchField(QtWidgets.QCheckBox):
    """On or off."""

    changed = Signal(object)
    busy = False

    def __init__(self, info: ParameterInfo) -> None:
        super().__init__()
        self.setObjectName("set_" + info.name)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        self.clicked.connect(lambda: self.changed.emit(self.isChecked()))

    def show_value(self, value: Any) -> None:
        """Show on or off."""
        self.setChecked(value)


class ChoiceField(ChoiceBox):
    """One of a few."""

    changed = Signal(object)
    busy = False

    def __init__(self, info: ParameterInfo) -> None:
        super().__init__("set_" + info.name, info.help)
        self._choices = info.choices
        self.chosen.connect(self.changed.emit)

    def show_value(self, value: Any) -> None:
        """Show the choice that has this value."""
        self.show_entries(self._choices, value)


class TextField(QtWidgets.QLineEdit):
    """A few words."""

    changed = Signal(object)

    def __init__(self, info: ParameterInfo) -> None:
        super().__init__()
        self.setObjectName("set_" + info.name)
        self.setMaxLength(MAX_TEXT)
        self.setMinimumWidth(0)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.ClickFocus)
        self.editingFinished.connect(lambda: self.changed.emit(self.text()))
        self.returnPressed.connect(self.clearFocus)

    @property
    def busy(self) -> bool:
        """Whether the painter is typing."""
        return self.hasFocus()

    def show_value(self, value: Any) -> None:
        """Show the words."""
        if value != self.text():
            self.setText(value)


class _Slider(QtWidgets.QSlider):
    """Horizontal, and not moved by the mouse wheel."""

    def __init__(self) -> None:
        super().__init__(QtCore.Qt.Orientation.Horizontal)
        self.setMinimumWidth(36)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)

    def wheelEvent(self, event: "QtGui.QWheelEvent") -> None:
        """Scrolling the column of dockers must not change a number."""
        event.ignore()


Field = Union[NumberField, SwitchField, ChoiceField, TextField]


def create_field(info: ParameterInfo) -> Field:
    """The widget for a parameter."""
    if info.kind in ("number", "integer"):
        return NumberField(info)
    return {"switch": SwitchField, "choice": ChoiceField, "text": TextField}[info.kind](info)
