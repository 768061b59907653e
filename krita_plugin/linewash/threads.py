"""Threads for blocking calls, and calls from them back into the window's own thread."""

import logging
import threading
from collections import deque
from functools import partial
from typing import Any, Callable, Deque, List, Optional

from .qt import QtCore, Signal

_log = logging.getLogger(__name__)


class Threads(QtCore.QObject):
    """The threads of the plugin.

    This object has no parent, and every thread holds it: so none ever signals to an object that Qt has deleted meanwhile.

    A signal from a thread only stores a call and starts a timer of this object.  Some of Krita's functions handle events before
    they return; work inside a signal could then meet the next signal, and Qt might free the first one while it is in use.
    """

    _called = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._threads: List[threading.Thread] = []
        self._calls: Deque[Callable[[], Any]] = deque()
        self._is_calling = False
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._make_calls)
        self._called.connect(self._store)

    @property
    def busy(self) -> bool:
        """Whether a thread is at work."""
        return any(thread.is_alive() for thread in self._threads)

    def start(
        self,
        call: Callable[[], Any],
        returned: Optional[Callable[[Any], Any]] = None,
        raised: Optional[Callable[[Exception], Any]] = None,
    ) -> None:
        """Make a blocking call in a thread.

        Then ``returned`` is called with its value or ``raised`` with its error, in the window's thread.  Without ``raised``
        an error is only logged.
        """

        def run() -> None:
            try:
                value = call()
            except Exception as error:  # noqa: BLE001 - whoever started the thread handles it
                _log.info("a call in a thread failed: %r", error)
                if raised is not None:
                    self.call_in_window(partial(raised, error))
            else:
                if returned is not None:
                    self.call_in_window(partial(returned, value))

        thread = threading.Thread(target=run, daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def call_in_window(self, function: Callable[[], Any]) -> None:
        """Call ``function`` in the window's own thread soon; for any thread."""
        self._called.emit(function)

    def join(self, seconds: float) -> None:
        """Wait for each thread at most that long."""
        for thread in self._threads:
            thread.join(seconds)

    def _store(self, function: Callable[[], Any]) -> None:
        self._calls.append(function)
        self._timer.start(0)

    def _make_calls(self) -> None:
        if self._is_calling:  # inside one of the calls Krita handles events; the loop below goes on with what came meanwhile
            return
        self._is_calling = True
        try:
            while self._calls:
                self._calls.popleft()()
        finally:
            self._is_calling = False
            if self._calls:  # one of them failed; the others are made all the same
                self._timer.start(0)
