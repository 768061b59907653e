"""Long work for the window's own thread, done in small portions between the window's own events."""

import logging
import time
from typing import Any, Callable, Generator

from .qt import QtCore
from .shared.errors import ErrorCode, LinewashError

ChunkedWork = Generator[int, None, Any]
"""Such work: a generator that yields, in milliseconds, how long to pause before its next portion."""

BUDGET_S = 0.02
"""Portions that ask for no pause are done together until this is spent, seconds."""

_log = logging.getLogger(__name__)


class ChunkedTask(QtCore.QObject):
    """Runs ``steps``, then calls ``done`` with what they return, or ``failed`` with the LinewashError they raise."""

    def __init__(
        self,
        steps: ChunkedWork,
        done: Callable[[Any], None],
        failed: Callable[[LinewashError], None],
        parent: "QtCore.QObject",
    ) -> None:
        super().__init__(parent)
        self._steps, self._done, self._failed = steps, done, failed
        self._busy = self._stopped = False
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._turn)
        self._timer.start(0)

    def stop(self) -> None:
        """Take no further step; neither ``done`` nor ``failed`` is called any more."""
        self._stopped = True
        self._timer.stop()
        if not self._busy:
            self._steps.close()
        self.deleteLater()

    def _turn(self) -> None:
        if self._busy:  # Krita handles timers while it waits for itself inside one of its calls
            self._timer.start(5)
            return
        self._busy = True
        try:
            end = time.monotonic() + BUDGET_S
            pause = 0
            while pause == 0 and not self._stopped and time.monotonic() < end:
                pause = next(self._steps)
            if not self._stopped:
                self._timer.start(pause)
        except StopIteration as stop:
            self._end(self._done, stop.value)
        except LinewashError as error:
            self._end(self._failed, error)
        except Exception as error:  # noqa: BLE001 - Krita would show the painter a traceback in a dialog
            _log.exception("a step failed")
            self._end(self._failed, LinewashError(ErrorCode.INTERNAL, repr(error)))
        finally:
            self._busy = False

    def _end(self, tell: Callable[[Any], None], value: Any) -> None:
        self._timer.stop()
        self.deleteLater()
        if not self._stopped:
            tell(value)
