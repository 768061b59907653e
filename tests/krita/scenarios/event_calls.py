"""Which of Krita's calls that the plugin makes handle other events before they return."""

from krita import Krita, ManagedColor
from linewash_driver.docker_actions import close
from linewash_driver.documents import SRGB, drawing, find, new
from linewash_driver.qt import QCoreApplication, QEvent, QObject, QTimer


class Letter(QObject):
    """An object that notes when an event posted to it arrives."""

    def __init__(self, arrived):
        super().__init__()
        self.arrived = arrived

    def event(self, event):
        if event.type() == QEvent.Type.User:
            self.arrived.append("posted event")
            return True
        return super().event(event)


def handled_inside(call):
    """What of a timer and a posted event, both due, was handled before ``call`` returned."""
    seen = []
    timer, letter = QTimer(), Letter(seen)
    timer.setSingleShot(True)
    timer.timeout.connect(lambda: seen.append("timer"))
    timer.start(0)
    QCoreApplication.postEvent(letter, QEvent(QEvent.Type.User))
    call()
    inside = sorted(set(seen))
    timer.stop()
    return inside


def mask_calls(document):
    """The same for the key strokes of a colorize mask, where this Krita lets plugins read them."""
    if not hasattr(document, "createColorizeMask"):
        return []
    lines, mask, color = find(document, "Lines"), document.createColorizeMask("strokes"), ManagedColor("RGBA", "U16", "")
    lines.addChildNode(mask, None)
    mask.initializeKeyStrokeColors([color])
    mask.setKeyStrokePixelData(bytes([255]) * 64 * 64, color, 0, 0, 64, 64)
    return [
        ("keyStrokesColors", mask.keyStrokesColors),
        ("transparencyIndex", mask.transparencyIndex),
        ("keyStrokePixelData", lambda: mask.keyStrokePixelData(color, 0, 0, 64, 64)),
        ("ManagedColor.setColorSpace", lambda: color.setColorSpace("RGBA", "U8", SRGB)),
        ("ManagedColor.components", color.components),
        ("duplicate", mask.duplicate),
        ("duplicate", lines.duplicate),
        ("setVisible", lambda: lines.duplicate().childNodes()[0].setVisible(False)),
    ]


def calls(document):
    """Name of a method -> what calls it, in documents as the plugin uses them."""
    app = Krita.instance()
    view = app.activeWindow().activeView()
    template = app.createDocument(64, 64, "template", "RGBA", "U8", SRGB, 72.0)
    scratch = template.clone()
    root, lines, paper = document.rootNode(), find(document, "Lines"), find(document, "Background")
    converted = scratch.createNode("strip", "paintlayer")
    group, layer = scratch.createGroupLayer("group"), scratch.createNode("layer", "paintlayer")
    whole = []

    def add_whole():
        whole.append(group.duplicate())
        root.addChildNode(whole[0], paper)

    def ask_idle():
        if document.tryBarrierLock():
            document.unlock()

    return [
        ("activeDocument", app.activeDocument),
        ("activeWindow", app.activeWindow),
        ("documents", app.documents),
        ("activeView", lambda: app.activeWindow().activeView()),
        ("document", view.document),
        ("selectedNodes", view.selectedNodes),
        ("action", lambda: app.action("move_layer_down")),
        ("icon", lambda: app.icon("addlayer")),
        ("readSetting", lambda: app.readSetting("linewash", "folder", "")),
        ("writeSetting", lambda: app.writeSetting("linewash", "probe", "1")),
        ("rootNode", document.rootNode),
        ("topLevelNodes", document.topLevelNodes),
        ("childNodes", root.childNodes),
        ("nodeByUniqueID", lambda: document.nodeByUniqueID(lines.uniqueId())),
        ("parentNode", lines.parentNode),
        ("uniqueId", lines.uniqueId),
        ("bounds", lines.bounds),
        ("width", document.width),
        ("colorModel", document.colorModel),
        ("tryBarrierLock", ask_idle),
        ("selection", document.selection),
        ("pixelData", lambda: lines.pixelData(0, 0, 64, 64)),
        ("projectionPixelData", lambda: lines.projectionPixelData(0, 0, 64, 64)),
        ("duplicate", lines.duplicate),
        ("clone", template.clone),
        ("createNode", lambda: scratch.createNode("other", "paintlayer")),
        ("createGroupLayer", lambda: scratch.createGroupLayer("other")),
        ("setPixelData", lambda: converted.setPixelData(bytes(64 * 64 * 4), 0, 0, 64, 64)),
        ("setColorSpace", lambda: converted.setColorSpace("RGBA", "U16", SRGB)),
        ("setColorSpace", lambda: scratch.setColorSpace("RGBA", "U16", SRGB)),
        ("addChildNode", lambda: scratch.rootNode().addChildNode(group, None)),
        ("resizeImage", lambda: scratch.resizeImage(0, 0, 128, 128)),
        ("setChildNodes", lambda: group.setChildNodes([scratch.createNode("lowest", "paintlayer")])),
        ("addChildNode", lambda: group.addChildNode(layer, None)),
        ("setBlendingMode", lambda: group.setBlendingMode("multiply")),
        ("duplicate", group.duplicate),
        ("addChildNode", add_whole),
        ("visible", lambda: whole[0].visible()),
        ("setVisible", lambda: whole[0].setVisible(False)),
        ("setCollapsed", lambda: whole[0].setCollapsed(True)),
        ("refreshProjection", document.refreshProjection),
        ("setActiveNode", lambda: document.setActiveNode(lines)),
        ("activeNode", document.activeNode),
        ("trigger", lambda: app.action("move_layer_up").trigger()),
        ("remove", lambda: whole[0].remove()),
        ("createDocument", lambda: app.createDocument(64, 64, "other", "RGBA", "U8", SRGB, 72.0)),
        ("close", scratch.close),
        ("close", template.close),
    ]


def run(painter):
    given = painter.parameters
    other = new(given["size"])
    yield 0.5
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    yield 1.0
    found = []
    for name, call in [*calls(document), *mask_calls(document)]:
        found.append([name, handled_inside(call)])
        yield 0.4
    found.append(["close", handled_inside(other.close)])
    painter.note("calls", found)
    yield from close(document)
