"""How long Krita's window stood still, measured from inside."""

import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from .qt import Qt, QTimer
from .stall import longest_wait, own_run_delay, own_seconds, run_delays

PERIOD_S = 0.020
NOTED_S = 0.050
"""Gaps longer than this are written down one by one."""
SAMPLE_S = 0.025


class Ticker:
    """A 20 ms timer in the GUI thread; the gap between two ticks is how long the window could not answer.

    ``own`` of a gap leaves out the time in which the window's thread, or one it may have waited for, was ready to run but
    other programs held every core: that is the machine's doing.  Such are Krita's other threads and those of the X server.
    It is never less than the processor time the window's thread used in the gap.  A second thread watches the run queues and
    notes what the window's thread was doing during a long gap.
    """

    def __init__(self, x_server: int = 0) -> None:
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._main = threading.get_ident()
        self._tasks = [Path("/proc/self/task")] + ([Path(f"/proc/{x_server}/task")] if x_server else [])
        self._window_thread = str(threading.get_native_id())
        self._sampler_thread = ""
        self._last = self._last_cpu = self._last_delay = self._start = 0.0
        self._stacks: dict[float, str] = {}
        self._samples: list[tuple[float, dict[str, float]]] = []
        self._running = False
        self.label = ""
        self.ticks = 0
        self.longest = 0.0
        self.gaps: list[dict[str, Any]] = []

    def start(self) -> None:
        """Begin a fresh measurement."""
        self._last = self._start = time.perf_counter()
        self._last_cpu, self._last_delay = time.thread_time(), own_run_delay()
        self._samples = [(self._start, self._sample())]
        self.ticks, self.gaps, self.longest = 0, [], 0.0
        self._running = True
        self._timer.start(int(1000 * PERIOD_S))
        threading.Thread(target=self._watch, name="ticker", daemon=True).start()

    def stop(self) -> dict[str, Any]:
        """End it; seconds of the longest ``gap``, of the longest ``own`` one, and all long gaps."""
        self._timer.stop()
        self._running = False
        self._samples.append((time.perf_counter(), self._sample()))
        gaps = [{**gap, "own": self._own(gap), "doing": self._stacks.get(gap["begin"], "")} for gap in self.gaps]
        own = max([gap["own"] for gap in gaps] + [min(self.longest, NOTED_S)])
        return {"ticks": self.ticks, "gap": self.longest, "own": own, "gaps": gaps}

    def _tick(self) -> None:
        now, cpu, delay = time.perf_counter(), time.thread_time(), own_run_delay()
        gap = now - self._last
        self.longest = max(gap, self.longest)
        if gap > NOTED_S:
            place = {"begin": self._last, "at": self._last - self._start, "label": self.label}
            self.gaps.append({**place, "gap": gap, "cpu": cpu - self._last_cpu, "waited": delay - self._last_delay})
        self._last, self._last_cpu, self._last_delay = now, cpu, delay
        self.ticks += 1

    def _own(self, gap: dict[str, Any]) -> float:
        begin, end = gap["begin"], gap["begin"] + gap["gap"]
        before = [sample for at, sample in self._samples if at <= begin][-1]
        after = next(sample for at, sample in self._samples if at >= end)
        others = longest_wait(before, after, (self._window_thread, self._sampler_thread))
        return own_seconds(gap["gap"], gap["cpu"], gap["waited"], others)

    def _sample(self) -> dict[str, float]:
        return {thread: delay for tasks in self._tasks for thread, delay in run_delays(tasks).items()}

    def _watch(self) -> None:
        self._sampler_thread = str(threading.get_native_id())
        while self._running:
            time.sleep(SAMPLE_S)
            self._samples.append((time.perf_counter(), self._sample()))
            last = self._last
            if time.perf_counter() - last > NOTED_S and last not in self._stacks:
                frame = sys._current_frames().get(self._main)
                self._stacks[last] = "".join(traceback.format_stack(frame, 8)) if frame else ""
