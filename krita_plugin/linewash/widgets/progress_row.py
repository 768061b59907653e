"""The newest step preview beside the progress bar; both are there only while something runs."""

from typing import Optional

from ..qt import QtCore, QtGui, QtWidgets
from ..state.session import Progress

PREVIEW_SIDE = 64
STEPS = 1000


class ProgressRow(QtWidgets.QWidget):
    """Progress and preview of a run."""

    def __init__(self) -> None:
        super().__init__()
        self._preview = QtWidgets.QLabel()
        self._preview.setObjectName("preview")
        self._preview.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self._bar = QtWidgets.QProgressBar()
        self._bar.setObjectName("progress")
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(10)
        self._preview.hide()
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._preview)
        row.addWidget(self._bar, 1, QtCore.Qt.AlignmentFlag.AlignVCenter)
        self._shown_preview: Optional[int] = None

    def show_progress(self, progress: Progress) -> None:
        """Show how far the run is."""
        if progress.fraction is None:
            self._bar.setRange(0, 0)  # moves to and fro
        else:
            self._bar.setRange(0, STEPS)
            self._bar.setValue(int(progress.fraction * STEPS))
        image = progress.preview
        key = None if image is None or image.isNull() else image.cacheKey()
        if key != self._shown_preview:
            self._shown_preview = key
            self._preview.setVisible(key is not None)
            if image is not None and key is not None:
                self._preview.setPixmap(_fit_preview(image))


def _fit_preview(image: "QtGui.QImage") -> "QtGui.QPixmap":
    keep, smooth = QtCore.Qt.AspectRatioMode.KeepAspectRatio, QtCore.Qt.TransformationMode.SmoothTransformation
    return QtGui.QPixmap.fromImage(image.scaled(PREVIEW_SIDE, PREVIEW_SIDE, keep, smooth))
