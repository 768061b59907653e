"""The classes of Qt that driver and scenarios use: PyQt5's up to Krita 5, PyQt6's since Krita 6."""

import krita

if krita.qVersion().startswith("6"):
    from PyQt6 import QtCore, QtGui, QtWidgets
else:
    from PyQt5 import QtCore, QtGui, QtWidgets

QBuffer = QtCore.QBuffer
QCoreApplication = QtCore.QCoreApplication
QEvent = QtCore.QEvent
QIODevice = QtCore.QIODevice
QObject = QtCore.QObject
QPoint = QtCore.QPoint
QRect = QtCore.QRect
Qt = QtCore.Qt
QTimer = QtCore.QTimer

QImage = QtGui.QImage

QAbstractButton = QtWidgets.QAbstractButton
QApplication = QtWidgets.QApplication
QComboBox = QtWidgets.QComboBox
QDockWidget = QtWidgets.QDockWidget
QLabel = QtWidgets.QLabel
QMenu = QtWidgets.QMenu
QMessageBox = QtWidgets.QMessageBox
QPushButton = QtWidgets.QPushButton
QScrollArea = QtWidgets.QScrollArea
QWidget = QtWidgets.QWidget
