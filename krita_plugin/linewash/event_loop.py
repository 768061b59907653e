"""Runs ``async def`` functions on Qt's own event loop, in slices so short that Krita's window never stalls.

Such a function hands over at each ``await pause()`` and ``await in_thread(call)``.
"""

import logging
import time
import types
from functools import partial
from typing import Any, Callable, Coroutine, Generator, Set, TypeVar

from .qt import QtCore
from .threads import Threads

SLICE_S = 0.02
"""Steps that ask for no pause are done together until this is spent, seconds."""
NESTED_MS = 5
"""How much later a task is tried again whose time comes in the middle of its own step."""
T = TypeVar("T")


class Cancelled(BaseException):
    """Raised at the ``await`` of a task that was cancelled.  The task may clean up, but not wait for anything more."""


@types.coroutine
def pause(milliseconds: int = 0) -> Generator[int, None, None]:
    """Let the window handle its events: for that long, or for 0 as soon as the slice is spent."""
    yield milliseconds


@types.coroutine
def in_thread(call: Callable[[], T]) -> Generator[Callable[[], T], T, T]:
    """What ``call`` returns, or raises, in a thread of its own."""
    return (yield call)


class EventLoop:
    """Starts tasks and keeps them until they end."""

    def __init__(self, threads: Threads) -> None:
        self.threads = threads
        self.tasks: "Set[Task]" = set()

    def start(self, work: Coroutine[Any, Any, None]) -> "Task":
        """Begin a task in the next turn of the window."""
        return Task(self, work)

    def stop(self) -> None:
        """Cancel all tasks."""
        for task in list(self.tasks):
            task.cancel()


class Task:
    """A coroutine that is run to its end, in the window's own thread."""

    def __init__(self, loop: EventLoop, work: Coroutine[Any, Any, None]) -> None:
        self._loop, self._work = loop, work
        self._loop.tasks.add(self)
        self._next_step: Callable[[], Any] = partial(work.send, None)
        self._busy = self._cancelled = False
        self._timer = QtCore.QTimer(loop.threads)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._run_slice)
        self._timer.start(0)

    def cancel(self, *_: Any) -> None:
        """Raise ``Cancelled`` where the task waits: now, or at its next ``await`` if it is in the middle of a step."""
        self._cancelled = True
        if not self._busy:
            self._resume(self._next_step)

    def _resume(self, step: Callable[..., Any], *values: Any) -> None:
        if self in self._loop.tasks:  # else it was cancelled while its thread was at work
            self._next_step = partial(step, *values)
            self._run_slice()

    def _run_slice(self) -> None:
        if self._busy:  # Krita handles timers and clicks while it waits for itself inside one of its calls
            self._timer.start(NESTED_MS)
            return
        self._busy, awaited, end = True, 0, time.monotonic() + SLICE_S
        try:
            # 0 is a pause without delay: such steps are done one after the other until the slice is spent.
            while self._cancelled or (awaited == 0 and time.monotonic() < end):
                # Unless a thread answers, the next step goes on without a value.
                step, self._next_step = self._next_step, partial(self._work.send, None)
                awaited = self._work.throw(Cancelled()) if self._cancelled else step()
            # ``in_thread`` yields a call, ``pause`` a number of milliseconds.
            if callable(awaited):
                returned, raised = partial(self._resume, self._work.send), partial(self._resume, self._work.throw)
                self._loop.threads.start(awaited, returned, raised)
            else:
                self._timer.start(awaited)
        except (Exception, Cancelled) as end_of_work:  # noqa: BLE001 - else Krita would show a traceback in a dialog
            self._loop.tasks.discard(self)
            self._timer.stop()
            self._timer.deleteLater()
            if not isinstance(end_of_work, (StopIteration, Cancelled)):
                logging.getLogger(__name__).error("a task failed", exc_info=end_of_work)
        finally:
            self._busy = False
