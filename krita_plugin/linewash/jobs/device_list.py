"""What the backend can compute on, and the painter's choice of it, which the backend keeps."""

import logging
import time
from typing import Optional

from ..event_loop import EventLoop, in_thread
from ..qt import QtCore, Signal
from ..shared.backend_start import START_S
from ..shared.devices.device_status import DeviceStatus
from ..shared.errors import LinewashError
from ..state.session import Message, Severity
from .backend_connection import BackendConnection
from .colorize_job import WAIT_S

_log = logging.getLogger(__name__)


class DeviceList(QtCore.QObject):
    """``changed`` is emitted when ``status`` is another one; before it, ``noticed`` with a ``Message`` about a problem."""

    changed = Signal()
    noticed = Signal(object)

    def __init__(self, loop: EventLoop, connection: BackendConnection, parent: "QtCore.QObject") -> None:
        super().__init__(parent)
        self._loop, self._connection = loop, connection
        self.status: Optional[DeviceStatus] = None
        """As the backend said last; None before it has answered."""
        self._is_asking = False

    def refresh(self) -> None:
        """Ask the backend if one runs."""
        if not self._is_asking:
            self._is_asking = True
            self._loop.start(self._update(None))

    def choose(self, name: str) -> None:
        """Let another device compute, ``auto`` or a device's name; the backend is started when none runs."""
        self._is_asking = True
        self._loop.start(self._update(name))

    async def _update(self, choice: Optional[str]) -> None:
        try:
            if choice is not None:
                self._show(await in_thread(lambda: self._choose(choice)))
            self._show(await in_thread(self._ask))
        except LinewashError as error:
            if choice is not None:
                self.noticed.emit(Message.from_error(error))
                self.changed.emit()  # the list shows again what is chosen
            else:
                _log.info("devices cannot be asked for: %s", error)
        finally:
            self._is_asking = False

    def _show(self, status: Optional[DeviceStatus]) -> None:
        if status is None or status == self.status:
            return
        before, self.status = self.status, status
        if status.problem and (before is None or before.problem != status.problem):  # once; every result says it again
            self.noticed.emit(Message(status.problem, severity=Severity.BAD))
        self.changed.emit()

    def _choose(self, name: str) -> DeviceStatus:
        """In a thread: let the backend keep a choice."""
        with self._connection.create_client(self._connection.find_or_start()) as client:
            return client.choose_device(name)

    def _ask(self) -> Optional[DeviceStatus]:
        """In a thread: what computes, once a worker has said so; None when no backend runs."""
        info = self._connection.find()
        if info is None:
            return None
        until = time.monotonic() + START_S
        with self._connection.create_client(info) as client:
            # Short waits one after the other, so that the end of Krita is noticed in between.
            while True:
                status = client.device(WAIT_S)
                if status.used or self._connection.is_closed or time.monotonic() > until:
                    return status
