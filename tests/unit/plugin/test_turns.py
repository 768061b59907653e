"""Long work in small portions: done between the window's events, stopped at once, its errors told."""

import time
from collections.abc import Iterator
from typing import Any

from PyQt6.QtCore import QObject
from PyQt6.QtTest import QTest


class Log:
    def __init__(self, plugin: Any) -> None:
        self.plugin, self.parent = plugin, QObject()
        self.done: list[Any] = []
        self.failed: list[Any] = []

    def start(self, steps: Any) -> Any:
        return self.plugin.chunked_task.ChunkedTask(steps, self.done.append, self.failed.append, self.parent)

    def wait(self) -> None:
        end = time.monotonic() + 10
        while not (self.done or self.failed) and time.monotonic() < end:
            QTest.qWait(2)


def test_it_tells_what_the_steps_return(plugin: Any) -> None:
    def steps() -> Iterator[int]:
        yield 0
        yield 1
        return "answer"

    log = Log(plugin)
    log.start(steps())
    assert not log.done  # nothing is done at once
    log.wait()
    assert log.done == ["answer"] and not log.failed


def test_it_tells_errors_and_turns_surprises_into_one(plugin: Any) -> None:
    errors = plugin.shared.errors
    for raised, code in ((errors.LinewashError(errors.ErrorCode.LAYER_GONE), "LAYER_GONE"), (KeyError("x"), "INTERNAL")):

        def steps(error: Exception = raised) -> Iterator[int]:
            yield 0
            raise error

        log = Log(plugin)
        log.start(steps())
        log.wait()
        assert [error.code for error in log.failed] == [errors.ErrorCode[code]] and not log.done


def test_long_work_leaves_room_for_the_window(plugin: Any) -> None:
    gaps: list[float] = []

    def steps() -> Iterator[int]:
        for _ in range(60):
            time.sleep(0.004)
            yield 0

    log = Log(plugin)
    log.start(steps())
    last = time.thread_time()
    while not log.done:
        QTest.qWait(0)
        gaps.append(time.thread_time() - last)
        last = time.thread_time()
    assert len(gaps) > 8


def test_stopped_it_says_nothing_more_and_cleans_up(plugin: Any) -> None:
    cleaned: list[bool] = []

    def steps() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            cleaned.append(True)

    log = Log(plugin)
    turns = log.start(steps())
    QTest.qWait(30)
    turns.stop()
    QTest.qWait(30)
    assert cleaned == [True] and not log.done and not log.failed


def test_stopped_from_within_a_step(plugin: Any) -> None:
    log, taken = Log(plugin), []

    def steps() -> Iterator[int]:
        for number in range(5):
            taken.append(number)
            turns.stop()
            yield 0

    turns = log.start(steps())
    QTest.qWait(50)
    assert taken == [0] and not log.done and not log.failed
