"""The only file that imports krita: the classes of Krita's Python module (libkis) that the plugin uses.

``typings/krita.pyi`` types them.
"""

from krita import (
    Canvas,
    DockWidget,
    DockWidgetFactory,
    DockWidgetFactoryBase,
    GroupLayer,
    Krita,
    ManagedColor,
    Node,
    Selection,
    qVersion,
)
from krita import Document as KritaDocument

__all__ = [
    "Canvas",
    "DockWidget",
    "DockWidgetFactory",
    "DockWidgetFactoryBase",
    "GroupLayer",
    "Krita",
    "KritaDocument",
    "ManagedColor",
    "Node",
    "Selection",
    "qVersion",
]
