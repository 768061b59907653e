"""The dialog that asks for image files."""

from typing import Callable, List

from ..qt import QtCore, QtWidgets

FILE_FILTER = "Images (*.png *.jpg *.jpeg *.webp *.bmp *.tif *.tiff *.gif);;All files (*)"


def default_image_folder() -> str:
    """Where the painter's images usually are."""
    return QtCore.QStandardPaths.writableLocation(QtCore.QStandardPaths.StandardLocation.PicturesLocation)


def open_image_dialog(parent: "QtWidgets.QWidget", folder: str, chosen: Callable[[List[str]], None]) -> None:
    """Ask for one or more files, beginning in ``folder``; ``chosen`` is called with their names."""
    dialog = QtWidgets.QFileDialog(parent, "Add a reference image", folder, FILE_FILTER)
    dialog.setFileMode(QtWidgets.QFileDialog.FileMode.ExistingFiles)
    dialog.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.filesSelected.connect(chosen)
    dialog.open()  # and not exec(): Krita holds its own layer signals back while a dialog loops
