from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PyQt6.QtCore import QCoreApplication
from PyQt6.QtTest import QTest


@pytest.fixture
def threads(plugin: Any) -> Iterator[Any]:
    threads = plugin.threads.Threads()
    yield threads
    threads.join(5.0)


def test_what_a_thread_returns_arrives_in_the_window(threads: Any) -> None:
    values: list[int] = []
    threads.start(lambda: 7, values.append)
    while not values:
        QTest.qWait(1)
    assert values == [7]


def test_a_call_that_handles_events_meets_no_other_call(threads: Any) -> None:
    depth, deepest, order = [0], [0], []

    def call(number: int) -> None:
        depth[0] += 1
        deepest[0] = max(deepest[0], depth[0])
        threads.call_in_window(lambda: order.append(10 * number))
        QCoreApplication.processEvents()  # as Krita does inside some of its functions
        order.append(number)
        depth[0] -= 1

    for number in (1, 2, 3):
        threads.call_in_window(lambda number=number: call(number))
    while len(order) < 6:
        QTest.qWait(1)
    assert deepest == [1]
    assert order == [1, 2, 3, 10, 20, 30]


def test_a_call_that_fails_keeps_none_of_the_others_back(threads: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    errors: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: errors.append(kind))
    done: list[int] = []
    threads.call_in_window(lambda: 1 // 0)
    threads.call_in_window(lambda: done.append(1))
    while not done:
        QTest.qWait(1)
    assert errors == [ZeroDivisionError]
