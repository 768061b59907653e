"""The docker after a drawing was colored, in Krita's light and dark theme."""

from krita import Krita
from linewash_driver.docker_actions import arrange, close, color
from linewash_driver.documents import drawing
from linewash_driver.qt import QAbstractButton, Qt

THEMES = {"light": ("Krita bright", "Krita light"), "dark": ("Krita dark",)}
"""What Krita's versions call them."""
FRAME = 8
"""Pixels that a button has around its text at least."""


def choose_theme(names):
    """Choose the first theme of one of these names in Settings > Themes; returns the name."""
    for action in Krita.instance().action("theme_menu").menu().actions():
        name = action.text().replace("&", "")
        if name in names:
            action.trigger()
            return name
    raise LookupError("no theme is called %s" % " or ".join(names))


def too_narrow(dock):
    """The texts of the visible buttons that are cut."""
    buttons = [button for button in dock.findChildren(QAbstractButton) if button.isVisible() and button.text()]
    return [each.text() for each in buttons if each.width() < each.fontMetrics().boundingRect(each.text()).width() + FRAME]


def run(painter):
    given = painter.parameters
    yield from arrange(painter)
    document = yield from drawing(given["size"], given["lines"], given["reference"])
    yield from painter.menu("referenceAdd", "Reference")
    yield from color(painter, document)  # what computes is shown once the backend has answered
    dock = painter.dock()
    painter.window().resizeDocks([dock], [680], Qt.Orientation.Vertical)
    yield from painter.until(lambda: painter.widget("device").isVisible(), 60, "what computes")
    yield 0.5
    for look, names in THEMES.items():
        name = choose_theme(names)
        yield 1.5
        picture = dock.grab()
        picture.save(painter.file("docker_%s.png" % look))
        image = picture.toImage()
        size = [image.width(), image.height()]
        brightness = image.scaled(1, 1, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
        seen = {"theme": name, "size": size, "brightness": brightness.pixelColor(0, 0).lightness()}
        painter.note(look, dict(seen, width=dock.width(), cut=too_narrow(dock)))
    yield from close(document)
