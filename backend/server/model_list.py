"""The models as the workers have listed them, asked for anew whenever somebody looks: files come and go meanwhile."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace

from shared.errors import ErrorCode, LinewashError
from shared.model_spec import ModelInfo
from shared.protocol import ColorizeRequest, resolve_values

ANEW_S = 3.0
"""How long a worker may take to list the models anew; after that the last list will do."""


class ModelList:
    """All methods are called in the event loop.

    ask: tells a worker to list its models; False when there is none that could.
    """

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._models: dict[str, ModelInfo] = {}
        self._problems: dict[str, str] = {}
        self._known, self._renewed = asyncio.Event(), asyncio.Event()

    def update(self, models: Iterable[ModelInfo]) -> None:
        """A worker has listed them."""
        self._models = {model.name: model for model in models}
        self._known.set()
        self._renewed.set()

    def mark_failed(self, name: str, problem: str) -> None:
        """A model whose files are there cannot be loaded all the same."""
        self._problems[name] = problem

    def mark_ok(self, name: str) -> None:
        """A model that could not be loaded, and has been repaired since, has colored a picture."""
        self._problems.pop(name, None)

    def check(self, request: ColorizeRequest) -> None:
        """LinewashError UNKNOWN_MODEL; BAD_SETTING when the model has no such mode or parameter.

        Before the first worker has listed its models, the job itself will say so.
        """
        if not self._known.is_set():
            return
        model = self._models.get(request.model)
        if model is None:
            raise LinewashError(ErrorCode.UNKNOWN_MODEL, request.model[:80])
        resolve_values(request, model.modes, model.parameters)

    async def ensure_listed(self, name: str) -> None:
        """List anew when this model is not known: its file may have come since."""
        if self._known.is_set() and name not in self._models:
            await self._renew()

    async def wait_for_models(self, seconds: float) -> list[ModelInfo]:
        """The models, as soon as a worker has listed them; LinewashError BACKEND_START when none does within ``seconds``."""
        if self._known.is_set():
            await self._renew(min(seconds, ANEW_S))
        try:
            await asyncio.wait_for(self._known.wait(), seconds)
        except asyncio.TimeoutError:
            raise LinewashError(ErrorCode.BACKEND_START, "no worker has listed its models") from None
        return [self._with_problem(model) for model in self._models.values()]

    async def _renew(self, seconds: float = ANEW_S) -> None:
        self._renewed.clear()
        if self._ask():
            try:
                await asyncio.wait_for(self._renewed.wait(), seconds)
            except asyncio.TimeoutError:
                return  # the worker is too busy, or has just died

    def _with_problem(self, model: ModelInfo) -> ModelInfo:
        problem = self._problems.get(model.name, "")
        return replace(model, ready=False, reason=problem) if problem and model.ready else model
