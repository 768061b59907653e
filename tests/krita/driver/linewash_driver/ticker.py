"""How long Krita's window stood still, measured from inside."""

import os
import sys
import threading
import time
import traceback
from typing import Any

from PyQt5.QtCore import Qt, QTimer

PERIOD_S = 0.020
NOTED_S = 0.050
"""Gaps longer than this are written down one by one."""


class Ticker:
    """A 20 ms timer in the GUI thread; the gap between two ticks is how long the window could not answer.

    ``queued`` of a gap is the part in which other programs held both cores: that is the machine's doing, not the plugin's.
    A thread beside it notes what the GUI thread was doing during a long gap.
    """

    def __init__(self) -> None:
        self._schedule = os.open("/proc/self/schedstat", os.O_RDONLY)
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._main = threading.get_ident()
        self._last = self._last_queued = self._last_cpu = self._start = 0.0
        self._seen: dict[float, str] = {}
        self._running = False
        self.label = ""
        self.ticks = 0
        self.worst: dict[str, Any] = {"gap": 0.0, "own": 0.0}
        self.gaps: list[dict[str, Any]] = []

    def start(self) -> None:
        """Begin a fresh measurement."""
        self._last = self._start = time.perf_counter()
        self._last_queued, self._last_cpu = self._queued_s(), time.thread_time()
        self.ticks, self.gaps, self.worst = 0, [], {"gap": 0.0, "own": 0.0}
        self._running = True
        self._timer.start(int(1000 * PERIOD_S))
        threading.Thread(target=self._look, name="ticker", daemon=True).start()

    def stop(self) -> dict[str, Any]:
        """End it; seconds of the longest gap (``gap``), the same less the time without a core (``own``), and all long gaps."""
        self._running = False
        self._timer.stop()
        gaps = [{**gap, "doing": self._seen.get(gap["key"], "")} for gap in self.gaps]
        return {"ticks": self.ticks, "gap": self.worst["gap"], "own": self.worst["own"], "gaps": gaps}

    def _tick(self) -> None:
        now, queued, cpu = time.perf_counter(), self._queued_s(), time.thread_time()
        gap, own = now - self._last, now - self._last - (queued - self._last_queued)
        self.worst = {"gap": max(gap, self.worst["gap"]), "own": max(own, self.worst["own"])}
        if gap > NOTED_S:
            note = {"at": self._last - self._start, "gap": gap, "own": own, "cpu": cpu - self._last_cpu}
            self.gaps.append(dict(note, label=self.label, key=self._last))
        self._last, self._last_queued, self._last_cpu = now, queued, cpu
        self.ticks += 1

    def _queued_s(self) -> float:
        """Seconds the GUI thread has been ready to run but had no core."""
        return int(os.pread(self._schedule, 64, 0).split()[1]) / 1e9

    def _look(self) -> None:
        while self._running:
            time.sleep(0.025)
            last = self._last
            if time.perf_counter() - last > NOTED_S and last not in self._seen:
                frame = sys._current_frames().get(self._main)
                self._seen[last] = "".join(traceback.format_stack(frame, 8)) if frame else ""
