"""The classes of Qt that driver and scenarios use: PyQt5's up to Krita 5, PyQt6's since Krita 6."""

import krita

if krita.qVersion().startswith("6"):
    from PyQt6.QtCore import QBuffer, QCoreApplication, QEvent, QIODevice, QObject, QPoint, QRect, Qt, QTimer
    from PyQt6.QtGui import QImage
    from PyQt6.QtWidgets import (
        QAbstractButton,
        QApplication,
        QComboBox,
        QDockWidget,
        QLabel,
        QMenu,
        QMessageBox,
        QPushButton,
        QScrollArea,
        QWidget,
    )
else:
    from PyQt5.QtCore import QBuffer, QCoreApplication, QEvent, QIODevice, QObject, QPoint, QRect, Qt, QTimer
    from PyQt5.QtGui import QImage
    from PyQt5.QtWidgets import (
        QAbstractButton,
        QApplication,
        QComboBox,
        QDockWidget,
        QLabel,
        QMenu,
        QMessageBox,
        QPushButton,
        QScrollArea,
        QWidget,
    )

__all__ = [
    "QAbstractButton",
    "QApplication",
    "QBuffer",
    "QComboBox",
    "QCoreApplication",
    "QDockWidget",
    "QEvent",
    "QIODevice",
    "QImage",
    "QLabel",
    "QMenu",
    "QMessageBox",
    "QObject",
    "QPoint",
    "QPushButton",
    "QRect",
    "QScrollArea",
    "QTimer",
    "QWidget",
    "Qt",
]
