"""The list of models, which a worker makes anew on each request, because files come and go."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace

from shared.errors import ErrorCode, LinewashError
from shared.model_spec import ModelInfo
from shared.protocol import ColorizeRequest, resolve_values

REFRESH_S = 3.0
"""How long to wait for a new list, seconds; after that the last one is used."""


class ModelList:
    """The models of all workers, which have the same ones.  All methods are called in the event loop.

    request_list: tells a worker to list its models; returns False when no worker runs.
    """

    def __init__(self, request_list: Callable[[], bool]) -> None:
        self._request_list = request_list
        self._models: dict[str, ModelInfo] = {}
        self._problems: dict[str, str] = {}
        self._listed, self._refreshed = asyncio.Event(), asyncio.Event()

    def update(self, models: Iterable[ModelInfo]) -> None:
        """Take the list that a worker has made."""
        self._models = {model.name: model for model in models}
        self._listed.set()
        self._refreshed.set()

    def mark_failed(self, name: str, problem: str) -> None:
        """Note that a model cannot be loaded although its files exist."""
        self._problems[name] = problem

    def mark_ok(self, name: str) -> None:
        """Note that a model has colored a drawing, so that an earlier problem is solved."""
        self._problems.pop(name, None)

    def check(self, request: ColorizeRequest) -> None:
        """Raise LinewashError UNKNOWN_MODEL, or BAD_SETTING when the model has no such mode or parameter.

        Before the first list nothing is checked here; the job itself fails with the same error.
        """
        if not self._listed.is_set():
            return
        model = self._models.get(request.model)
        if model is None:
            raise LinewashError(ErrorCode.UNKNOWN_MODEL, request.model[:80])
        resolve_values(request, model.modes, model.parameters)

    async def ensure_listed(self, name: str) -> None:
        """Refresh the list when it lacks this model: its file may be new."""
        if self._listed.is_set() and name not in self._models:
            await self._refresh()

    async def wait_for_models(self, seconds: float) -> list[ModelInfo]:
        """The models, as soon as a worker has listed them.  LinewashError BACKEND_START when that takes over ``seconds``."""
        if self._listed.is_set():
            await self._refresh(min(seconds, REFRESH_S))
        try:
            await asyncio.wait_for(self._listed.wait(), seconds)
        except asyncio.TimeoutError:
            raise LinewashError(ErrorCode.BACKEND_START, "no worker has listed its models") from None
        return [self._with_problem(model) for model in self._models.values()]

    async def _refresh(self, seconds: float = REFRESH_S) -> None:
        self._refreshed.clear()
        if self._request_list():
            try:
                await asyncio.wait_for(self._refreshed.wait(), seconds)
            except asyncio.TimeoutError:
                return  # the worker is busy or has just died

    def _with_problem(self, model: ModelInfo) -> ModelInfo:
        problem = self._problems.get(model.name, "")
        return replace(model, ready=False, reason=problem) if problem and model.ready else model
