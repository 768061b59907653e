"""Plays a scenario step by step in the GUI thread and writes its result."""

import json
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from krita import Krita

from .event_storm import EventStorm
from .painter import Painter
from .qt import QApplication, QTimer


class Play:
    """One scenario, from the first window to the quit."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.painter = Painter(settings["out"], settings["parameters"], settings["x_server"])
        self.errors: list[str] = []
        self.dialogs: list[list[str]] = []
        self.begun = 0.0
        self.storm = EventStorm()
        self.watch = QTimer()
        self.watch.timeout.connect(self._close_dialog)

    def begin(self) -> None:
        """Start the scenario, once."""
        if self.begun:
            return
        self.begun = time.time()
        if self.settings["event_storm"]:
            self.storm.take_hold()
        self.watch.start(1500)
        self.painter.note("krita", Krita.instance().version())
        space: dict[str, Any] = {"__name__": "scenario", "__file__": self.settings["scenario"]}
        try:
            source = Path(self.settings["scenario"]).read_text()
            exec(compile(source, self.settings["scenario"], "exec"), space)  # noqa: S102 - our own scenario file
            self._step(space["run"](self.painter))
        except Exception:  # noqa: BLE001 - whatever a scenario raises belongs into the result
            self._finish(traceback.format_exc())

    def uncaught(self, kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        """What Krita would show in a modal dialog: an exception nobody caught in a slot."""
        self.errors.append("".join(traceback.format_exception(kind, value, trace)))

    def _step(self, steps: Iterator[float | None]) -> None:
        try:
            pause = next(steps) or 0.0
        except StopIteration:
            self._finish(None)
        except Exception:  # noqa: BLE001 - whatever a scenario raises belongs into the result
            self._finish(traceback.format_exc())
        else:
            QTimer.singleShot(int(1000 * pause), lambda: self._step(steps))

    def _close_dialog(self) -> None:
        """A modal dialog would hang the scenario: write it down, take a screenshot, close it."""
        widget = QApplication.activeModalWidget()
        if widget is None or self.painter.expects_dialog or type(widget).__name__ == "QProgressDialog":  # goes by itself
            return
        text = getattr(widget, "text", None)
        self.dialogs.append([type(widget).__name__, widget.windowTitle(), str(text()) if callable(text) else ""])
        widget.grab().save(self.painter.file("dialog%d.png" % len(self.dialogs)))
        reject = getattr(widget, "reject", widget.close)
        reject()

    def _finish(self, error: str | None) -> None:
        self.painter.ticker.stop()
        result = {
            "error": error,
            "uncaught": self.errors,
            "dialogs": self.dialogs,
            "values": self.painter.values,
            "storm": {"calls": self.storm.calls, "timers": self.storm.timers, "signals": self.storm.signals},
            "ready_s": round(self.begun - self.settings["started"], 2),
            "scenario_s": round(time.time() - self.begun, 2),
        }
        path = Path(self.settings["result"])
        path.with_suffix(".part").write_text(json.dumps(result, indent=1, default=repr))
        path.with_suffix(".part").replace(path)
        for document in Krita.instance().documents():
            document.setModified(False)  # or "save the changes?" stops the quit
        Krita.instance().action("file_quit").trigger()
