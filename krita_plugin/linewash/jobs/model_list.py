"""Keeps the list of models up to date: asks a backend that runs, and starts one when the painter wants to see the list."""

import time
from typing import Callable, List, Optional, Tuple

from ..event_loop import EventLoop, in_thread
from ..qt import QtCore, Signal
from ..shared.backend_start import START_S
from ..shared.errors import ErrorCode, LinewashError
from ..shared.model_spec import ModelInfo
from ..shared.paths import ServerInfo
from .backend_connection import BackendConnection
from .colorize_job import WAIT_S


class ModelList(QtCore.QObject):
    """``changed`` is emitted after every attempt to list the models; before it, ``failed`` with the error of a failed one."""

    changed = Signal()
    failed = Signal(object)

    def __init__(self, loop: EventLoop, connection: BackendConnection, parent: "QtCore.QObject") -> None:
        super().__init__(parent)
        self._loop, self._connection = loop, connection
        self.models: Tuple[ModelInfo, ...] = ()
        """As they were listed last, () before."""
        self.is_loading = False
        """Whether the painter waits for a list."""
        self._is_asking = False

    def refresh(self) -> None:
        """Ask the backend if one runs."""
        if not self._is_asking:
            self._is_asking = True
            self._loop.start(self._update(self._connection.find))

    def refresh_or_start(self) -> None:
        """Ask the backend, and start it when none runs."""
        if not self.is_loading:
            self.is_loading = True
            self.changed.emit()
            if not self._is_asking:
                self._is_asking = True
                self._loop.start(self._update(self._connection.find_or_start))

    async def _update(self, find_backend: Callable[[], Optional[ServerInfo]]) -> None:
        try:
            models = await in_thread(lambda: self._list_models(find_backend))
            if models is None and self.is_loading:  # none ran, and meanwhile the painter wants to see the list
                models = await in_thread(lambda: self._list_models(self._connection.find_or_start))
            self.models = self.models if models is None else tuple(models)
        except LinewashError as error:
            self.failed.emit(error)
        finally:
            self._is_asking = self.is_loading = False
        self.changed.emit()

    def _list_models(self, find_backend: Callable[[], Optional[ServerInfo]]) -> Optional[List[ModelInfo]]:
        """In a thread: the models, None when no backend runs."""
        info = find_backend()
        if info is None:
            return None
        until = time.monotonic() + START_S
        with self._connection.create_client(info) as client:
            # Short waits one after the other, so that the end of Krita is noticed in between.
            while True:
                try:
                    return client.models(WAIT_S)
                except LinewashError as error:
                    is_starting = error.code is ErrorCode.BACKEND_START
                    if not is_starting or self._connection.is_closed or time.monotonic() > until:
                        raise
