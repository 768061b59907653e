"""Keeps the list of models up to date: asks a backend that runs, and starts one when the painter wants to see the list."""

import threading
import time
from typing import Any, Callable, List, Tuple

from ..qt import QtCore
from ..shared.client import Client
from ..shared.errors import ErrorCode, LinewashError
from ..shared.model_spec import ModelInfo
from ..state.session import Message
from .backend_launcher import START_S, Launcher
from .colorize_job import WAIT_S


class ModelList(QtCore.QObject):
    """``known``: the models as they were listed last, () before.  ``is_loading``: the painter waits for a list."""

    def __init__(self, studio: Any, launcher: Launcher, connect: Callable[..., Any]) -> None:
        super().__init__(studio)
        self.models: Tuple[ModelInfo, ...] = ()
        self.is_loading, self._asking = False, False
        self._studio, self._launcher, self._connect = studio, launcher, connect
        self._ended = threading.Event()

    def end(self) -> None:
        """Krita ends; whoever still asks gives up."""
        self._ended.set()

    def refresh(self) -> None:
        """Ask the backend if one runs."""
        if not self._asking:
            self._ask(self._launcher.running)

    def refresh_or_start(self) -> None:
        """Ask the backend, and start it when none runs."""
        if not self.is_loading:
            self.is_loading = True
            self._studio.changed.emit(0)
            if not self._asking:
                self._ask(self._connection_args)

    def _connection_args(self) -> Any:
        return self._launcher.connect(lambda text: None, self._ended.is_set)

    def _ask(self, reach: Callable[[], Any]) -> None:
        self._asking = True
        self._studio.run_in_background(lambda: self._listed(reach), self._found)

    def _listed(self, reach: Callable[[], Any]) -> Any:
        """In a thread: the models, None when no backend runs, or the error."""
        try:
            info = reach()
            if info is None:
                return None
            with self._connect(info) as client:
                return self._models(client)
        except LinewashError as error:
            return error

    def _models(self, client: Client) -> List[ModelInfo]:
        until = time.monotonic() + START_S
        while True:
            try:
                return client.models(WAIT_S)
            except LinewashError as error:
                if error.code is not ErrorCode.BACKEND_START or self._ended.is_set() or time.monotonic() > until:
                    raise

    def _found(self, answer: Any) -> None:
        self._asking = False
        if isinstance(answer, LinewashError):
            self._studio.notice = Message.from_error(answer)
        elif answer is not None:
            self.models = tuple(answer)
        if self.is_loading and answer is None:  # nobody ran when it was asked softly; meanwhile the painter wants to know
            self._ask(self._connection_args)
            return
        self.is_loading = False
        self._studio.changed.emit(0)
