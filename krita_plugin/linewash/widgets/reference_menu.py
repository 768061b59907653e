"""The menu of the + button: where a reference can come from."""

# pyright: reportOptionalMemberAccess=false
# PyQt6 types nearly everything that Qt returns as Optional, also what is always there.

from typing import Sequence, Tuple

from ..images.clipboard import clipboard_data, has_images, images_in
from ..qt import QtWidgets, Signal


class ReferenceMenu(QtWidgets.QMenu):
    """``images_chosen`` carries a list as ``images_in`` makes it, ``layer_chosen`` the id of a layer."""

    file_wanted = Signal()
    images_chosen = Signal(object)
    layer_chosen = Signal(str)

    def open_below(self, button: "QtWidgets.QWidget", layers: Sequence[Tuple[str, str]]) -> None:
        """Open, with these layers (id and name) of the document."""
        self.clear()
        self.addAction("Image file…").triggered.connect(lambda _=False: self.file_wanted.emit())
        paste = self.addAction("From the clipboard")
        paste.setEnabled(has_images(clipboard_data()))
        paste.triggered.connect(lambda _=False: self.images_chosen.emit(images_in(clipboard_data())))
        self.addSeparator()
        self.addAction("Layers of this document").setEnabled(False)  # a section's title would be cut, and look like a layer
        for layer_id, name in layers:
            action = self.addAction(name.replace("&", "&&"))
            action.triggered.connect(lambda _=False, chosen=layer_id: self.layer_chosen.emit(chosen))
        self.popup(button.mapToGlobal(button.rect().bottomLeft()))  # not exec(): Krita holds its layer signals back in a loop
