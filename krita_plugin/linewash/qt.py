"""The only file that knows PyQt5 (Krita 5) from PyQt6 (Krita 6); all other files take Qt's modules from here.

Write PyQt6's way everywhere: fully scoped enums and ``exec()``; both understand that.
"""

from typing import TYPE_CHECKING

from .libkis import qVersion

# Krita says which Qt it was built with: with both PyQts installed, importing the wrong one would succeed and crash later.
if TYPE_CHECKING or qVersion().startswith("6"):
    from PyQt6 import QtCore, QtGui, QtWidgets
else:
    from PyQt5 import QtCore, QtGui, QtWidgets

Signal = QtCore.pyqtSignal

__all__ = ["QtCore", "QtGui", "QtWidgets", "Signal"]
