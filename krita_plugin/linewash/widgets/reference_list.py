"""The row of references: thumbnails to switch off, to use for foreground or background alone, or to remove; takes drops."""

# pyright: reportOptionalMemberAccess=false
# PyQt6 types nearly everything that Qt returns as Optional, also what is always there.

from dataclasses import replace
from typing import Dict, List, Mapping, Optional, Tuple

from ..images.clipboard import has_images, images_in
from ..qt import QtCore, QtGui, QtWidgets, Signal
from ..shared.protocol import ReferenceRole
from ..state.choices import Reference

CELL_SIDE, SMALL_CELL = 52, 40
"""A thumbnail with its margin, in pixels; where one row would make cells smaller than the second, there are two rows."""
_CROSS_SIDE = 16
_DATA = QtCore.Qt.ItemDataRole.UserRole

ROLES = {
    ReferenceRole.BOTH: "Use for everything",
    ReferenceRole.FOREGROUND: "Use for the foreground",
    ReferenceRole.BACKGROUND: "Use for the background",
}
BLEACHED = "Shown as the model will see it: its foreground is white (Background only)."
HOW = "Click to switch it off or on; right-click to use it for foreground or background alone."


class ReferenceList(QtWidgets.QListWidget):
    """Click switches a reference on or off; the cross, Delete or the context menu removes it."""

    changed = Signal(object)
    dropped = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("reference")
        self.setViewMode(QtWidgets.QListView.ViewMode.IconMode)
        self.setMovement(QtWidgets.QListView.Movement.Static)
        self.setResizeMode(QtWidgets.QListView.ResizeMode.Adjust)
        self.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.NoSelection)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # all fit, see _fit
        self.setMouseTracking(True)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        self.setAcceptDrops(True)
        self.setItemDelegate(_Thumbnail(self))
        self.setContextMenuPolicy(QtCore.Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        self._shown: Tuple[Tuple[Reference, str], ...] = ()
        self._thumbnails: Dict[Tuple[str, str], QtGui.QPixmap] = {}
        self._bleached: Dict[Tuple[str, str], QtGui.QPixmap] = {}
        self._bleached_keys: Dict[Tuple[str, str], int] = {}
        self.set_references([], [])

    def set_references(self, references: "List[Reference]", names: "List[str]") -> None:
        """Show these references; ``names`` are for tooltips."""
        shown = tuple(zip(references, names))
        if shown != self._shown or not shown:
            self._shown = shown
            self.clear()
            for reference, _ in shown:
                item = QtWidgets.QListWidgetItem()
                item.setData(_DATA, reference)
                self.addItem(item)
            self._describe()
        self._fit()

    def set_thumbnail(self, reference: Reference, image: "QtGui.QImage") -> None:
        """Show this image for the reference."""
        if not image.isNull():
            self._thumbnails[reference.source] = QtGui.QPixmap.fromImage(image)
            self.viewport().update()

    def show_bleached(self, images: "Mapping[Tuple[str, str], QtGui.QImage]") -> None:
        """Show these images in place of the thumbnails: by source, the references whose foreground the model does not see."""
        if {source: image.cacheKey() for source, image in images.items()} != self._bleached_keys:
            self._bleached_keys = {source: image.cacheKey() for source, image in images.items()}
            self._bleached = {source: QtGui.QPixmap.fromImage(image) for source, image in images.items()}
            self.viewport().update()
            self._describe()

    def thumbnail(self, reference: Reference) -> "Optional[QtGui.QPixmap]":
        """The thumbnail of a reference, as the model will see it; None when there is none yet."""
        return self._bleached.get(reference.source) or self._thumbnails.get(reference.source)

    def references(self) -> "List[Reference]":
        """The references that are shown."""
        return [reference for reference, _ in self._shown]

    def mouseReleaseEvent(self, event: "QtGui.QMouseEvent") -> None:
        """Switch the reference under the mouse on or off, or remove it."""
        item = self.itemAt(event.pos())
        if item is not None and event.button() == QtCore.Qt.MouseButton.LeftButton:
            if cross_rect(self.visualItemRect(item)).contains(event.pos()):
                self._remove(self.row(item))
            else:
                self._toggle(self.row(item))
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: "QtGui.QKeyEvent") -> None:
        """Delete removes the current reference, Space switches it on or off."""
        if event.key() in (QtCore.Qt.Key.Key_Delete, QtCore.Qt.Key.Key_Backspace) and self.currentRow() >= 0:
            self._remove(self.currentRow())
        elif event.key() == QtCore.Qt.Key.Key_Space and self.currentRow() >= 0:
            self._toggle(self.currentRow())
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: "QtGui.QDragEnterEvent") -> None:
        """Accept files, and images from web pages."""
        if has_images(event.mimeData()):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: "QtGui.QDragMoveEvent") -> None:
        """Accept them everywhere."""
        if has_images(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: "QtGui.QDropEvent") -> None:
        """Emit what was dropped, as ``images_in`` makes it."""
        dropped = images_in(event.mimeData())
        if dropped:
            event.acceptProposedAction()
            self.dropped.emit(dropped)

    def paintEvent(self, event: "QtGui.QPaintEvent") -> None:
        """Say what belongs here while the list is empty."""
        super().paintEvent(event)
        if not self._shown:
            painter = QtGui.QPainter(self.viewport())
            painter.setPen(self.palette().color(QtGui.QPalette.ColorGroup.Disabled, QtGui.QPalette.ColorRole.Text))
            middle = QtCore.Qt.AlignmentFlag.AlignCenter | QtCore.Qt.TextFlag.TextWordWrap
            painter.drawText(self.viewport().rect().adjusted(6, 2, -6, -2), middle, "Drop an image here, or press +")

    def resizeEvent(self, event: "QtGui.QResizeEvent") -> None:
        """Fit the cells to the new width."""
        super().resizeEvent(event)
        self._fit()

    def _describe(self) -> None:
        for row, (reference, name) in enumerate(self._shown):
            role = ROLES[reference.role] + ("" if reference.used else " (switched off)")
            lines = [name, role, BLEACHED, HOW] if reference.source in self._bleached else [name, role, HOW]
            self.item(row).setToolTip("\n".join(lines))

    def _fit(self) -> None:
        """Choose cells so small that all references are seen, in one row or two."""
        count, width = max(1, len(self._shown)), self.viewport().width() - 1  # Qt wraps a row that fits exactly
        rows, cell = 1, min(CELL_SIDE, width // count)
        if cell < SMALL_CELL:
            rows, cell = 2, min(CELL_SIDE, width // -(-count // 2))
        cell = max(cell, _CROSS_SIDE)
        self.setGridSize(QtCore.QSize(cell, cell))
        self.setFixedHeight(max(rows * cell, CELL_SIDE) + 2 * self.frameWidth())

    def _toggle(self, row: int) -> None:
        self._replace(row, replace(self.references()[row], used=not self.references()[row].used))

    def _remove(self, row: int) -> None:
        references = self.references()
        del references[row]
        self.changed.emit(references)

    def _replace(self, row: int, reference: Reference) -> None:
        references = self.references()
        references[row] = reference
        self.changed.emit(references)

    def _show_menu(self, position: "QtCore.QPoint") -> None:
        item = self.itemAt(position)
        if item is None:
            return
        row, reference = self.row(item), item.data(_DATA)
        menu = QtWidgets.QMenu(self)
        for role, text in ROLES.items():
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(reference.role is role)
            action.triggered.connect(lambda _=False, r=role: self._replace(row, replace(reference, role=r, used=True)))
        menu.addSeparator()
        menu.addAction("Remove").triggered.connect(lambda: self._remove(row))
        # Not exec, which would run an event loop of its own inside this event.
        menu.popup(self.viewport().mapToGlobal(position))


def cross_rect(cell: "QtCore.QRect") -> "QtCore.QRect":
    """Where a thumbnail's cross is, in its cell."""
    return QtCore.QRect(cell.right() - _CROSS_SIDE - 2, cell.top() + 2, _CROSS_SIDE, _CROSS_SIDE)


class _Thumbnail(QtWidgets.QStyledItemDelegate):
    """Paints one reference: its thumbnail, faded when switched off, a mark for its part, a cross under the mouse."""

    def __init__(self, references: ReferenceList) -> None:
        super().__init__(references)
        self._list = references

    def paint(self, painter: "QtGui.QPainter", option: "QtWidgets.QStyleOptionViewItem", index: "QtCore.QModelIndex") -> None:
        """Paint the cell of one reference."""
        reference = index.data(_DATA)
        frame = option.rect.adjusted(4, 4, -4, -4)
        palette = option.palette
        painter.save()
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
        painter.setOpacity(1.0 if reference.used else 0.25)
        painter.fillRect(frame, palette.color(QtGui.QPalette.ColorRole.Window))
        pixmap = self._list.thumbnail(reference)
        if pixmap is not None:
            size = pixmap.size().scaled(frame.size(), QtCore.Qt.AspectRatioMode.KeepAspectRatio)
            place = QtCore.QRect(QtCore.QPoint(0, 0), size)
            place.moveCenter(frame.center())
            painter.drawPixmap(place, pixmap)
        if reference.role is not ReferenceRole.BOTH:
            self._paint_role(painter, frame, "FG" if reference.role is ReferenceRole.FOREGROUND else "BG", palette)
        painter.setOpacity(1.0)
        used = QtGui.QPalette.ColorRole.Highlight if reference.used else QtGui.QPalette.ColorRole.Mid
        painter.setPen(QtGui.QPen(palette.color(used), 2 if reference.used else 1))
        painter.drawRect(frame)
        if option.state & QtWidgets.QStyle.StateFlag.State_MouseOver:
            self._paint_cross(painter, cross_rect(option.rect), palette)
        painter.restore()

    def sizeHint(self, option: "QtWidgets.QStyleOptionViewItem", index: "QtCore.QModelIndex") -> "QtCore.QSize":
        """The whole cell."""
        return self._list.gridSize()

    def _paint_role(self, painter: "QtGui.QPainter", frame: "QtCore.QRect", text: str, palette: "QtGui.QPalette") -> None:
        strip = QtCore.QRect(frame.left(), frame.bottom() - 13, frame.width(), 14)
        painter.fillRect(strip, palette.color(QtGui.QPalette.ColorRole.Highlight))
        painter.setPen(palette.color(QtGui.QPalette.ColorRole.HighlightedText))
        painter.drawText(strip, QtCore.Qt.AlignmentFlag.AlignCenter, text)

    def _paint_cross(self, painter: "QtGui.QPainter", place: "QtCore.QRect", palette: "QtGui.QPalette") -> None:
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setBrush(palette.color(QtGui.QPalette.ColorRole.Window))
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.drawEllipse(place)
        painter.setPen(QtGui.QPen(palette.color(QtGui.QPalette.ColorRole.WindowText), 1.5))
        arm = place.adjusted(5, 5, -5, -5)
        painter.drawLine(arm.topLeft(), arm.bottomRight())
        painter.drawLine(arm.topRight(), arm.bottomLeft())
