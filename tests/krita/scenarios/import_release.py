"""A painter imports the release by Krita's own menu, Tools > Scripts > Import Python Plugin from File, and enables it."""

from krita import Krita
from linewash_driver.qt import QAbstractButton, QApplication, QMessageBox


def run(painter):
    yield 2.0
    painter.expects_dialog = True
    clicks = ["Tools", "Scripts", "Import Python Plugin from File...", "the file", "Open"]
    # The menu entry's own action; its dialogs are modal, so it is triggered by a timer, as a click would be.
    action = Krita.instance().action("plugin_importer_file")
    painter.later(action.trigger)
    yield from painter.until(lambda: QApplication.activeModalWidget() is not None, 60, "the file dialog")
    yield 1.0
    yield from painter.shot("file_dialog")
    yield from painter.run("xdotool", "type", "--delay", "5", painter.parameters["zip"])
    yield from painter.keys("Return")
    for name in ("overwrite", "question") if painter.parameters.get("is_newer") else ("question",):
        yield from painter.until(lambda: isinstance(QApplication.activeModalWidget(), QMessageBox), 120, "the question")
        yield 0.5
        yield from painter.shot(name)
        box = QApplication.activeModalWidget()
        painter.note(name, box.text())
        (yes,) = [each for each in box.findChildren(QAbstractButton) if each.text().replace("&", "") == "Yes"]
        yield from painter.click(yes)
        clicks.append("Yes")
        yield from painter.until(lambda: QApplication.activeModalWidget() is not box, 30, "the question to close")  # noqa: B023
    yield from painter.until(lambda: QApplication.activeModalWidget() is None, 30, "all questions to close")
    painter.expects_dialog = False
    painter.note("clicks", clicks)
    painter.note("enabled", Krita.instance().readSetting("python", "enable_linewash", ""))
