"""The list of coloring models: those that cannot be used are gray, and say why where the mouse rests."""

# pyright: reportOptionalMemberAccess=false
# PyQt6 types nearly everything that Qt returns as Optional, also what is always there.

from typing import Sequence, Tuple

from ..qt import QtCore, QtGui, Signal
from ..shared.model_spec import ModelInfo
from .choice_box import ChoiceBox

LOADING = "Looking for models…"
_TIP = "What colors the drawing"
_TIP_ROLE = QtCore.Qt.ItemDataRole.ToolTipRole


class ModelBox(ChoiceBox):
    """``opened`` is emitted when the painter opens the list: models come and go as files do."""

    opened = Signal()

    def __init__(self) -> None:
        super().__init__("model", _TIP)
        self._models: Tuple[ModelInfo, ...] = ()
        self._chosen_name, self._is_loading = "", False

    def show_models(self, models: Sequence[ModelInfo], current: str, is_loading: bool) -> None:
        """Show these models; one that is chosen and not among them is shown by its name.  is_loading: more may come."""
        if (tuple(models), current, is_loading) == (self._models, self._chosen_name, self._is_loading):
            return
        self._models, self._chosen_name, self._is_loading = tuple(models), current, is_loading
        titles = [(model.name, model.title) for model in models]
        entries = titles if current in dict(titles) else [(current, current), *titles]
        reopen = self.view().isVisible()
        if reopen:
            self.hidePopup()
        self.show_entries([*entries, (None, LOADING)] if is_loading else entries, current)
        self._gray_out_unready({model.name: model for model in models})
        self.setToolTip("%s: %s" % (_TIP, dict(titles).get(current, current)))  # the list itself may be too narrow for it
        if reopen:
            super().showPopup()

    def showPopup(self) -> None:
        """Open the list."""
        self.opened.emit()
        super().showPopup()

    def _gray_out_unready(self, models: "dict[str, ModelInfo]") -> None:
        entries = self.model()
        assert isinstance(entries, QtGui.QStandardItemModel)
        for index, (name, _) in enumerate(self._entries):
            item = entries.item(index)
            model = models.get(name)
            item.setEnabled(name is not None and (model is None or model.ready))
            if model is not None:
                item.setData(model.reason or "%s. License: %s" % (model.title, model.license or "not known"), _TIP_ROLE)
