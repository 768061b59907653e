"""Images that come without a file, from the clipboard or a web page: each is saved as one until Krita ends."""

# pyright: reportOptionalMemberAccess=false
# PyQt6 types nearly everything that Qt returns as Optional, also what is always there.

from pathlib import Path
from typing import List, Optional, Union

from ..qt import QtCore, QtGui, QtWidgets
from ..shared.errors import ErrorCode, LinewashError

PNG = "image/png"

ImageSource = Union[Path, bytes, "QtGui.QImage"]
"""A file, or an image that has none, as a PNG or as pixels."""


class ClipboardImages:
    """Saves images in a temporary folder, which is removed when Krita ends."""

    def __init__(self) -> None:
        self._folder: Optional[QtCore.QTemporaryDir] = None
        self._count = 0

    def save(self, image: "Union[bytes, QtGui.QImage]") -> Path:
        """Write the image into a new file; return its path.  Called in a thread.  LinewashError DISK_FULL."""
        if self._folder is None:
            self._folder = QtCore.QTemporaryDir()
        self._count += 1
        file = QtCore.QFile(str(Path(self._folder.path()) / ("pasted %d.png" % self._count)))
        if file.open(QtCore.QIODevice.OpenModeFlag.WriteOnly):
            is_whole = file.write(image) == len(image) if isinstance(image, bytes) else image.save(file, "PNG")
            if file.flush() and is_whole:
                return Path(file.fileName())
        raise LinewashError(ErrorCode.DISK_FULL, file.errorString())


def clipboard_data() -> "QtCore.QMimeData":
    """What lies on the clipboard."""
    return QtWidgets.QApplication.clipboard().mimeData() or QtCore.QMimeData()  # None where nothing ever lay there


def has_images(data: "Optional[QtCore.QMimeData]") -> bool:
    """Whether ``images_in`` would find anything; cheap, as it unpacks nothing."""
    return data is not None and (data.hasImage() or data.hasFormat(PNG) or any(url.isLocalFile() for url in data.urls()))


def images_in(data: "Optional[QtCore.QMimeData]") -> "List[ImageSource]":
    """What a clipboard, or something dropped, holds: files, else an image."""
    if data is None:
        return []
    files: List[ImageSource] = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    if files:
        return files
    if data.hasFormat(PNG):
        return [data.data(PNG).data()]  # as it is: unpacking a large one would take time, and this is the window's thread
    image = QtGui.QImage(data.imageData()) if data.hasImage() else QtGui.QImage()
    return [] if image.isNull() else [image]
