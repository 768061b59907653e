"""A form of parameters, made from their descriptions; those that few painters touch are folded away."""

from typing import Any, Dict, Mapping, Sequence, Tuple

from ..qt import QtCore, QtWidgets, Signal
from ..shared.model_spec import ParameterInfo
from .parameter_fields import Field, NumberField, SwitchField, create_field


class ParameterForm(QtWidgets.QWidget):
    """``changed`` carries the name and value of a parameter; ``reset`` asks for the defaults of all.

    label_width: pixels that labels have at least, so that they stand like those above.
    """

    changed = Signal(str, object)
    reset = Signal()

    def __init__(self, label_width: int) -> None:
        super().__init__()
        self._label_width = label_width
        self._infos: Tuple[ParameterInfo, ...] = ()
        self._fields: Dict[str, Field] = {}
        self._more = QtWidgets.QToolButton()
        self._more.setObjectName("moreParameters")
        self._more.setText("More")
        self._more.setToolTip("What few drawings need")
        self._more.setCheckable(True)
        self._more.setAutoRaise(True)
        self._more.setToolButtonStyle(QtCore.Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._more.toggled.connect(self._show_advanced)
        self._defaults = QtWidgets.QToolButton()
        self._defaults.setObjectName("defaultParameters")
        self._defaults.setText("Defaults")
        self._defaults.setToolTip("Set all of these to their defaults")
        self._defaults.setAutoRaise(True)
        self._defaults.clicked.connect(self.reset)
        for button in (self._more, self._defaults):
            button.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        self._basic, self._advanced = QtWidgets.QWidget(), QtWidgets.QWidget()
        bar = QtWidgets.QHBoxLayout()
        bar.addWidget(self._more)
        bar.addStretch(1)
        bar.addWidget(self._defaults)
        self._column = QtWidgets.QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(5)
        self._column.addWidget(self._basic)
        self._column.addLayout(bar)
        self._column.addWidget(self._advanced)
        self._show_advanced(False)

    def show_parameters(self, infos: Sequence[ParameterInfo], values: Mapping[str, Any]) -> None:
        """Show these parameters; one without a value has its default."""
        if tuple(infos) != self._infos:
            self._rebuild(tuple(infos))
        for info in self._infos:
            if not self._fields[info.name].busy:
                self._fields[info.name].show_value(values.get(info.name, info.default))
        self._defaults.setEnabled(any(info.name in values for info in self._infos))
        self.setVisible(bool(self._infos))

    def _rebuild(self, infos: Tuple[ParameterInfo, ...]) -> None:
        self._infos, self._fields = infos, {}
        for old, advanced in ((self._basic, False), (self._advanced, True)):
            new = self._create_rows([info for info in infos if info.advanced is advanced])
            self._column.replaceWidget(old, new)
            old.setParent(None)  # at once; deleting takes until Qt comes round to it
            old.deleteLater()
            if advanced:
                self._advanced = new
            else:
                self._basic = new
        numbers = [field for field in self._fields.values() if isinstance(field, NumberField)]
        for field in numbers:
            field.set_number_width(max(each.number_width for each in numbers))
        self._more.setVisible(any(info.advanced for info in infos))
        self._show_advanced(self._more.isChecked())

    def _create_rows(self, infos: Sequence[ParameterInfo]) -> "QtWidgets.QWidget":
        rows = QtWidgets.QWidget()
        grid = QtWidgets.QGridLayout(rows)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(5)
        grid.setColumnMinimumWidth(0, self._label_width)
        grid.setColumnStretch(1, 1)
        for row, info in enumerate(infos):
            field = self._fields[info.name] = create_field(info)
            label = QtWidgets.QLabel(info.title)
            label.setToolTip(info.help)
            field.setToolTip(info.help)
            field.changed.connect(lambda value, name=info.name: self.changed.emit(name, value))
            grid.addWidget(label, row, 0)
            if isinstance(field, SwitchField):
                grid.addWidget(field, row, 1, QtCore.Qt.AlignmentFlag.AlignLeft)  # no wider than what a click switches
            else:
                grid.addWidget(field, row, 1)
        return rows

    def _show_advanced(self, shown: bool) -> None:
        arrow = QtCore.Qt.ArrowType.DownArrow if shown else QtCore.Qt.ArrowType.RightArrow
        self._more.setArrowType(arrow)
        self._advanced.setVisible(shown and any(info.advanced for info in self._infos))
