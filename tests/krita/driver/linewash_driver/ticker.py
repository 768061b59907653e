"""How long Krita's window stood still, measured from inside."""

import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from PyQt5.QtCore import Qt, QTimer

PERIOD_S = 0.020
NOTED_S = 0.050
"""Gaps longer than this are written down one by one."""
LOOK_S = 0.025


def queued() -> dict[str, float]:
    """For each thread of Krita, seconds it has been ready to run but had no core."""
    found = {}
    for thread in Path("/proc/self/task").iterdir():
        try:
            found[thread.name] = int((thread / "schedstat").read_text().split()[1]) / 1e9
        except OSError:  # it ended while we looked
            continue
    return found


class Ticker:
    """A 20 ms timer in the GUI thread; the gap between two ticks is how long the window could not answer.

    ``own`` of a gap leaves out the time in which Krita, or a thread it waited for, was ready but other programs held every
    core: that is the machine's doing.  It is never less than the processor time the window's thread used in the gap.  A second
    thread watches the run queues and notes what the window's thread was doing during a long gap.
    """

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._main = threading.get_ident()
        self._last = self._last_cpu = self._start = 0.0
        self._seen: dict[float, str] = {}
        self._queues: list[tuple[float, dict[str, float]]] = []
        self._running = False
        self._looker = ""
        self.label = ""
        self.ticks = 0
        self.longest = 0.0
        self.gaps: list[dict[str, Any]] = []

    def start(self) -> None:
        """Begin a fresh measurement."""
        self._last = self._start = time.perf_counter()
        self._last_cpu = time.thread_time()
        self._queues = [(self._start, queued())]
        self.ticks, self.gaps, self.longest = 0, [], 0.0
        self._running = True
        self._timer.start(int(1000 * PERIOD_S))
        threading.Thread(target=self._look, name="ticker", daemon=True).start()

    def stop(self) -> dict[str, Any]:
        """End it; seconds of the longest ``gap``, of the longest ``own`` one, and all long gaps."""
        self._timer.stop()
        self._running = False
        self._queues.append((time.perf_counter(), queued()))
        gaps = [{**gap, "own": self._own(gap), "doing": self._seen.get(gap["begin"], "")} for gap in self.gaps]
        own = max([gap["own"] for gap in gaps] + [min(self.longest, NOTED_S)])
        return {"ticks": self.ticks, "gap": self.longest, "own": own, "gaps": gaps}

    def _tick(self) -> None:
        now, cpu = time.perf_counter(), time.thread_time()
        gap = now - self._last
        self.longest = max(gap, self.longest)
        if gap > NOTED_S:
            place = {"begin": self._last, "at": self._last - self._start, "label": self.label}
            self.gaps.append({**place, "gap": gap, "cpu": cpu - self._last_cpu})
        self._last, self._last_cpu = now, cpu
        self.ticks += 1

    def _own(self, gap: dict[str, Any]) -> float:
        begin, end = gap["begin"], gap["begin"] + gap["gap"]
        before = [queue for at, queue in self._queues if at <= begin][-1]
        after = next(queue for at, queue in self._queues if at >= end)
        waited = max((after[thread] - before.get(thread, 0.0) for thread in after if thread != self._looker), default=0.0)
        return max(gap["cpu"], gap["gap"] - waited)

    def _look(self) -> None:
        self._looker = str(threading.get_native_id())
        while self._running:
            time.sleep(LOOK_S)
            self._queues.append((time.perf_counter(), queued()))
            last = self._last
            if time.perf_counter() - last > NOTED_S and last not in self._seen:
                frame = sys._current_frames().get(self._main)
                self._seen[last] = "".join(traceback.format_stack(frame, 8)) if frame else ""
