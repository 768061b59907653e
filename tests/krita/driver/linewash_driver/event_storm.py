"""Everything that Krita may handle inside one of its calls, handled inside each of them.

The plugin makes the calls inside which Krita handles events through one object, ``KritaApp.event_calls``.  The driver puts
one in its place that, before and after the real call, lets timers fire, threads signal, dockers refresh, the canvas change,
documents be looked through and objects be deleted.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

from .qt import QApplication, QCoreApplication, QEvent, QObject, QTimer, QWidget

DEPTH = 2
"""How many storms may rage inside one another."""
ROUNDS, ROUND_S = 3, 0.002
"""How often events are handled in one storm, and how long threads have between."""
BURST = 5
"""How many timers and threads signal in one storm."""


class EventStorm:
    """Counts storms and what they were made of."""

    def __init__(self) -> None:
        self.calls = self.timers = self.signals = self._depth = 0

    def take_hold(self) -> None:
        """Begin: from now on every such call of the plugin is made inside storms."""
        plugin = sys.modules["linewash"]
        self._controller = plugin._controller
        make_call, storm = self.make_call, plugin.krita_api.event_calls.EventCalls

        class StormyCalls(storm):  # type: ignore[misc, valid-type]
            """The calls of Krita that handle events, each between two storms."""

            def make(self, call: Callable[[], Any]) -> Any:
                """What ``call`` returns."""
                return make_call(call)

        plugin._app.event_calls = StormyCalls()

    def make_call(self, call: Callable[[], Any]) -> Any:
        """What ``call`` returns, made between two storms."""
        self.calls += 1
        self._rage()
        value = call()
        self._rage()
        return value

    def _rage(self) -> None:
        if self._depth >= DEPTH:
            return
        self._depth += 1
        try:
            self._burst()
            for _ in range(ROUNDS):
                QCoreApplication.processEvents()
                QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
                time.sleep(ROUND_S)
        finally:
            self._depth -= 1

    def _burst(self) -> None:
        controller = self._controller
        for _ in range(BURST):
            QTimer.singleShot(0, self._count_timer)
            QObject().deleteLater()
            controller.threads.start(lambda: None, self._count_signal)
        QTimer.singleShot(0, controller.poll_documents)
        QTimer.singleShot(0, lambda: controller.changed.emit(0))
        for window in QApplication.topLevelWidgets():
            for docker in window.findChildren(QWidget, "linewash"):
                docker.canvasChanged(None)
                docker.refresh()

    def _count_timer(self) -> None:
        self.timers += 1

    def _count_signal(self, _: Any) -> None:
        self.signals += 1
