"""The docker's widgets and their layout, made for a column of 260 pixels."""

from typing import Optional, Sequence

from ..qt import QtCore, QtGui, QtWidgets
from ..shared.devices.device_status import DeviceStatus
from ..shared.line_preparation import LinePreparation
from ..shared.model_spec import NEEDS_BACKGROUND_REFERENCE, NEEDS_MASK, ModelInfo
from ..shared.protocol import Finish
from ..state.choices import Area, DockerState, ForegroundChoice
from ..state.model_choices import chosen_values, effective_finish, find_model, mode_parameters, selected_mode
from .choice_box import ChoiceBox
from .device_box import DeviceBox
from .foreground_masks import ForegroundImage, MaskRows
from .model_box import ModelBox
from .parameter_form import ParameterForm
from .progress_row import ProgressRow
from .reference_list import ReferenceList
from .reference_menu import ReferenceMenu
from .scroll_area import ScrollArea
from .status_line import StatusLine
from .unclaimed_row import UnclaimedRow

LINES_AS = (
    (LinePreparation.AS_DRAWN, "Line drawing"),
    (LinePreparation.WHITE_ON_BLACK, "White on black"),
    (LinePreparation.DODGE, "Colored image"),
)
FOREGROUNDS = (
    (ForegroundChoice.AUTOMATIC, "Automatic"),
    (ForegroundChoice.SELECTION, "Selection"),
    (ForegroundChoice.MASK, "Mask layer"),
    (ForegroundChoice.ALPHA, "Layer alpha"),
)
RECOLORING_FOREGROUNDS = ((ForegroundChoice.AUTOMATIC, "As before"),) + FOREGROUNDS[2:]
"""While the selection says what to recolor."""
AREAS = ((Area.WHOLE, "Whole canvas"), (Area.SELECTION, "Selection"))
FINISHES = ((Finish.PAINTED, "Painted"), (Finish.FLATS, "Flats"))

NEEDS = {
    NEEDS_MASK: "The list Foreground says what the foreground is.",
    NEEDS_BACKGROUND_REFERENCE: "Give one reference the role Use for the background.",
}
"""What a mode needs, in words for the painter."""

WIDEST_LABEL = "Foreground"
"""The widest label of the docker's own."""
BUTTON_MARGIN = 18
"""Pixels that a button is wider than its text.  Styles would make it still wider, and the list beside it needs the room."""


class Panel(QtWidgets.QWidget):
    """Creates the widgets; the docker connects and fills them."""

    def __init__(self, add_icon: "Optional[QtGui.QIcon]") -> None:
        super().__init__()
        self.lines = ChoiceBox(
            "lines", "The layer with your drawing.  Automatic: the one you work on, or did before you went elsewhere"
        )
        self.lines_as = ChoiceBox(
            "linesAs",
            "What that layer is.  Line drawing: lines on paper or transparency.  White on black: brightness is ink.\n"
            "Colored image: its lines are extracted.",
        )
        self.reference = ReferenceList()
        self.reference_add = _add_button("referenceAdd", "Add a reference: an image whose colors you want", add_icon)
        self.reference_menu = ReferenceMenu(self.reference_add)
        self.hints = ChoiceBox(
            "hints",
            "A layer with strokes of color, or a colorize mask: a part of the drawing gets just the color of the stroke in it",
        )
        self.foreground = ChoiceBox("foreground", "What belongs to the foreground, the character; the rest is background")
        self.foreground_layer = ChoiceBox("foregroundLayer", "The layer that says what belongs to the foreground")
        tip = "Add another mask, for example one for each character; all together are the foreground"
        self.foreground_add = _add_button("foregroundAdd", tip, add_icon)
        self.mask_rows, self.foreground_image = MaskRows(), ForegroundImage()
        self.model = ModelBox()
        self.mode = ChoiceBox("mode", "")
        self.parameters = ParameterForm(self.fontMetrics().boundingRect(WIDEST_LABEL).width() + 1)
        self.finish = ChoiceBox("finish", "Painted: with shading.  Flats: one color for each part")
        self.area = ChoiceBox(
            "area", "Whole canvas: a new result.  Selection: the newest result again, changed in the selection only"
        )
        self.variation = ChoiceBox("variation", "The variations you have tried of these colors")
        self.another = QtWidgets.QPushButton("Another")
        self.another.setObjectName("another")
        self.another.setToolTip("Colorize in a variation you have not tried yet")
        self.another.setFixedWidth(self.another.fontMetrics().boundingRect(self.another.text()).width() + BUTTON_MARGIN)
        self.device, self._device_label = DeviceBox(), QtWidgets.QLabel("Runs on")
        self.colorize = QtWidgets.QPushButton("Colorize")
        self.colorize.setObjectName("color")
        self.cancel = QtWidgets.QPushButton("Cancel")
        self.cancel.setObjectName("cancel")
        emphasis = self.colorize.font()
        emphasis.setBold(True)
        self.colorize.setFont(emphasis)
        for button in (self.reference_add, self.foreground_add, self.another, self.colorize, self.cancel):
            button.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)  # as with the lists: Space belongs to the canvas
        self.progress = ProgressRow()
        self.status = StatusLine()
        self.unclaimed = UnclaimedRow()
        self._lay_out()

    def add_button(self, button: "QtWidgets.QToolButton") -> None:
        """Put another small button beside Colorize and Cancel."""
        self._buttons.addWidget(button)

    def show_models(self, models: Sequence[ModelInfo], is_loading: bool, choices: DockerState) -> None:
        """Show the models, and the options of the one that is chosen.  is_loading: more may come."""
        self.model.show_models(models, choices.model, is_loading)
        model = find_model(models, choices.model)
        finishes = [entry for entry in FINISHES if model is None or not model.finishes or entry[0].value in model.finishes]
        self.finish.show_entries(finishes, effective_finish(choices, model))
        mode = selected_mode(choices, model) if model is not None else None
        for widget in (self.mode, self._mode_label):
            widget.setVisible(mode is not None)
        if model is not None and mode is not None:
            self.mode.show_entries([(each.name, each.title) for each in model.modes], mode.name)
            self.mode.setToolTip(
                " ".join([mode.help, *(NEEDS.get(name, "Needs: %s." % name) for name in mode.required_inputs)])
            )
        infos = mode_parameters(choices, model) if model is not None else ()
        self.parameters.show_parameters(infos, chosen_values(choices, model) if model is not None else {})

    def show_devices(self, status: Optional[DeviceStatus], is_busy: bool) -> None:
        """Show what computes, once the backend has said so."""
        for widget in (self.device, self._device_label):
            widget.setVisible(status is not None)
        if status is not None:
            self.device.show_devices(status, is_busy)

    def _lay_out(self) -> None:
        choices = QtWidgets.QWidget()
        grid = QtWidgets.QGridLayout(choices)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(1, 1)
        references = QtWidgets.QHBoxLayout()
        references.setSpacing(4)
        references.addWidget(self.reference, 1)
        references.addWidget(self.reference_add)
        foregrounds = QtWidgets.QVBoxLayout()
        foregrounds.setSpacing(4)
        first = QtWidgets.QHBoxLayout()
        first.setSpacing(4)
        first.addWidget(self.foreground, 1)
        first.addWidget(self.foreground_add)
        foregrounds.addLayout(first)
        for widget in (self.foreground_layer, self.mask_rows, self.foreground_image):
            foregrounds.addWidget(widget)
        variations = QtWidgets.QHBoxLayout()
        variations.setSpacing(4)
        variations.addWidget(self.variation, 1)
        variations.addWidget(self.another)
        rows = (
            ("Lines", self.lines),
            ("Read as", self.lines_as),
            ("Reference", references),
            ("Hints", self.hints),
            ("Foreground", foregrounds),
            ("Model", self.model),
            ("Mode", self.mode),
            ("Finish", self.finish),
            ("Area", self.area),
            ("Variation", variations),
        )
        for row, (text, field) in enumerate(rows):
            label = QtWidgets.QLabel(text)
            grid.addWidget(label, row, 0, QtCore.Qt.AlignmentFlag.AlignTop)
            # One row high, so that a label stands beside the first row of a field that has several.
            label.setFixedHeight(self.lines.sizeHint().height())
            if isinstance(field, QtWidgets.QWidget):
                label.setBuddy(field)
                grid.addWidget(field, row, 1)
            else:
                grid.addLayout(field, row, 1)
            if field is self.mode:
                self._mode_label = label
        grid.addWidget(self.parameters, len(rows), 0, 1, 2)
        grid.addWidget(self._device_label, len(rows) + 1, 0)
        grid.addWidget(self.device, len(rows) + 1, 1)
        self._device_label.setBuddy(self.device)
        self._buttons = buttons = QtWidgets.QHBoxLayout()
        buttons.addWidget(self.colorize, 2)
        buttons.addWidget(self.cancel, 1)
        column = QtWidgets.QVBoxLayout()
        column.setContentsMargins(4, 4, 4, 4)
        outer = QtWidgets.QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)  # Krita sets a docker's own to 1, whatever they were
        outer.addLayout(column)
        column.setSpacing(6)
        for widget in (self.foreground_layer, self.mode, self._mode_label, self.parameters, self.device, self._device_label):
            widget.hide()  # shown when it is needed
        # Only the choices scroll: buttons and messages are always in sight.
        column.addWidget(ScrollArea(choices, self.lines.sizeHint().height()))
        column.addLayout(buttons)
        column.addWidget(self.progress)
        column.addWidget(self.status)
        column.addWidget(self.unclaimed)
        column.addStretch(1)


def _add_button(name: str, tip: str, icon: "Optional[QtGui.QIcon]") -> "QtWidgets.QToolButton":
    """A small button with a plus."""
    button = QtWidgets.QToolButton()
    button.setObjectName(name)
    button.setToolTip(tip)
    if icon is None or icon.isNull():
        button.setText("+")
    else:
        button.setIcon(icon)
    return button
