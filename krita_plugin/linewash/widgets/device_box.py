"""The list of what can compute: graphics cards and the processor.  Cards that cannot be used are gray and say why."""

# pyright: reportOptionalMemberAccess=false
# PyQt6 types nearly everything that Qt returns as Optional, also what is always there.

from typing import List, Optional, Tuple

from ..qt import QtCore, QtGui
from ..shared.devices.device_status import AUTOMATIC, DeviceStatus
from .choice_box import ChoiceBox

BUSY = "While a drawing is being colored, this cannot be changed"
FIXED = "This was given when the coloring program was started (linewash serve --device)"
_TIP = "What computes the colors: a graphics card is many times faster than the processor"
_TIP_ROLE = QtCore.Qt.ItemDataRole.ToolTipRole
_Entries = List[Tuple[Optional[str], str]]


def device_entries(status: DeviceStatus) -> Tuple[_Entries, Optional[str]]:
    """(entries, value of the one to show as chosen).  A hint is an entry of value None.

    When the chosen device does not compute, the one is shown that does: choosing the other again tries it again.
    """
    entries: _Entries = [(device.name, device.title) for device in status.devices]
    shown = status.used if status.problem or len(entries) == 1 else status.choice
    if len(entries) > 1:
        automatic = "Automatic: %s" % status.title(status.used) if status.used and shown == AUTOMATIC else "Automatic"
        entries.insert(0, (AUTOMATIC, automatic))
    if shown not in dict(entries):
        entries.append((shown, shown or "…"))
    hints: _Entries = [(None, "%s (not used)" % hint.partition(" is here")[0]) for hint in status.hints]
    return entries + hints, shown


class DeviceBox(ChoiceBox):
    """See the module."""

    def __init__(self) -> None:
        super().__init__("device", _TIP)
        self._shown: Optional[Tuple[DeviceStatus, bool, int]] = None
        """What is shown, and the index of the chosen entry, which the painter changes."""

    def show_devices(self, status: DeviceStatus, is_busy: bool) -> None:
        """Show what can compute and what is chosen.  is_busy: a drawing is being colored, so that nothing can be chosen."""
        if (status, is_busy, self.currentIndex()) == self._shown or self.view().isVisible():
            return
        entries, current = device_entries(status)
        self.show_entries(entries, current)
        model = self.model()
        assert isinstance(model, QtGui.QStandardItemModel)
        hints = list(status.hints)
        for index, (name, _) in enumerate(entries):
            if name is None:
                model.item(index).setEnabled(False)
                model.item(index).setData(hints.pop(0), _TIP_ROLE)
        self.setEnabled(not is_busy and not status.fixed)
        reason = BUSY if is_busy else FIXED if status.fixed else _TIP
        self._shown = status, is_busy, self.currentIndex()
        used = "Now: %s" % status.title(status.used) if status.used else ""
        self.setToolTip("\n".join(part for part in (reason, used, status.problem, *status.hints) if part))
