"""Coroutines over Qt's event loop: run in slices between the window's events, waiting for threads, cancelled at once."""

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from PyQt6.QtCore import QObject
from PyQt6.QtTest import QTest


class Loop:
    """An event loop, and what its tasks have done."""

    def __init__(self, plugin: Any) -> None:
        self.module = plugin.event_loop
        self.threads = plugin.threads.Threads()
        self.loop = self.module.EventLoop(self.threads)
        self.log: list[Any] = []

    def start(self, work: Any) -> Any:
        return self.loop.start(work)

    def wait(self) -> None:
        end = time.monotonic() + 10
        while (self.loop.tasks or self.threads.busy) and time.monotonic() < end:
            QTest.qWait(2)
        assert not self.loop.tasks


@pytest.fixture
def loop(plugin: Any) -> Iterator[Loop]:
    loop_thread = Loop(plugin)
    yield loop_thread
    loop_thread.loop.stop()
    loop_thread.threads.join(10)


def test_a_task_begins_in_the_next_turn_and_goes_to_its_end(loop: Loop) -> None:
    async def work() -> None:
        await loop.module.pause()
        await loop.module.pause(1)
        loop.log.append("end")

    loop.start(work())
    assert not loop.log  # nothing is done at once
    loop.wait()
    assert loop.log == ["end"]


def test_an_error_that_nobody_handles_is_only_logged(loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        await loop.module.pause()
        raise KeyError("x")

    loop.start(work())
    with caplog.at_level(logging.ERROR):
        loop.wait()
    assert "a task failed" in caplog.text


def test_long_work_leaves_room_for_the_window(loop: Loop) -> None:
    gaps: list[float] = []

    async def work() -> None:
        for _ in range(60):
            time.sleep(0.004)
            await loop.module.pause()

    loop.start(work())
    last = time.thread_time()
    while loop.loop.tasks:
        QTest.qWait(0)
        gaps.append(time.thread_time() - last)
        last = time.thread_time()
    assert len(gaps) > 8


def test_a_slice_ends_in_time_and_short_steps_share_one(loop: Loop) -> None:
    begun: list[float] = []

    async def work(seconds: float, steps: int) -> None:
        for _ in range(steps):
            begun.append(time.monotonic())
            time.sleep(seconds)
            await loop.module.pause()

    turns: list[int] = []
    loop.start(work(0.0, 50))
    while loop.loop.tasks:
        QTest.qWait(0)
        turns.append(len(begun))
    assert turns[-1] == 50 and len(turns) < 10


def test_a_cancelled_task_cleans_up_and_does_nothing_more(loop: Loop) -> None:
    async def work() -> None:
        try:
            while True:
                await loop.module.pause()
        finally:
            loop.log.append("cleaned")

    task = loop.start(work())
    QTest.qWait(30)
    task.cancel()
    assert loop.log == ["cleaned"] and not loop.loop.tasks
    task.cancel()  # which changes nothing
    QTest.qWait(30)
    assert loop.log == ["cleaned"]


def test_cancelled_from_within_a_step(loop: Loop) -> None:
    async def work() -> None:
        for number in range(5):
            loop.log.append(number)
            task.cancel()
            await loop.module.pause()

    task = loop.start(work())
    loop.wait()
    assert loop.log == [0]


def test_cancelled_before_it_began(loop: Loop) -> None:
    async def work() -> None:
        loop.log.append("begun")

    loop.start(work()).cancel()
    loop.wait()
    assert not loop.log


def test_a_step_that_handles_events_is_not_entered_again(loop: Loop) -> None:
    """Krita handles timers while it waits for itself inside one of its calls."""

    async def work() -> None:
        for number in range(3):
            loop.log.append((number, "begin"))
            task._timer.start(0)
            QTest.qWait(20)
            loop.log.append((number, "end"))
            await loop.module.pause()

    task = loop.start(work())
    loop.wait()
    assert loop.log == [(number, word) for number in range(3) for word in ("begin", "end")]


def test_a_thread_gives_its_result_back_to_the_windows_thread(loop: Loop) -> None:
    async def work() -> None:
        loop.log.append(await loop.module.in_thread(threading.get_ident))
        loop.log.append(threading.get_ident())

    loop.start(work())
    loop.wait()
    inside, after = loop.log
    assert inside != after == threading.get_ident()


def test_an_error_in_a_thread_is_raised_where_it_was_waited_for(loop: Loop) -> None:
    def fail() -> None:
        raise ValueError("in the thread")

    async def work() -> None:
        try:
            await loop.module.in_thread(fail)
        except ValueError as error:
            loop.log.append(str(error))

    loop.start(work())
    loop.wait()
    assert loop.log == ["in the thread"]


def test_a_task_cancelled_while_its_thread_works_never_sees_the_result(loop: Loop) -> None:
    go_on = threading.Event()

    async def work() -> None:
        try:
            loop.log.append(await loop.module.in_thread(lambda: go_on.wait(10)))
        except loop.module.Cancelled:
            loop.log.append("cancelled")
            raise

    task = loop.start(work())
    QTest.qWait(20)
    task.cancel()
    assert loop.log == ["cancelled"]
    go_on.set()
    loop.wait()
    QTest.qWait(20)
    assert loop.log == ["cancelled"]


def test_an_object_that_is_gone_is_never_touched(loop: Loop) -> None:
    go_on, window = threading.Event(), QObject()

    async def work() -> None:
        name = await loop.module.in_thread(lambda: go_on.wait(10) and "late")
        window.setObjectName(name)
        loop.log.append("touched")

    window.destroyed.connect(loop.start(work()).cancel)
    QTest.qWait(20)
    window.deleteLater()
    QTest.qWait(20)
    assert not loop.loop.tasks
    go_on.set()
    loop.wait()
    assert not loop.log


def test_threads_are_waited_for_and_calls_arrive_in_order(loop: Loop) -> None:
    def talk() -> None:
        for number in range(5):
            loop.threads.call_in_window(lambda number=number: loop.log.append(number))

    loop.threads.start(talk)
    loop.threads.join(10)
    assert not loop.threads.busy and not loop.log
    QTest.qWait(20)
    assert loop.log == list(range(5))
