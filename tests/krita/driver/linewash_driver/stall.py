"""How much of a gap between two ticks of the window's timer is the window's own doing, and how much the machine's.

On a busy machine a thread that is ready to run waits for a core, and so do those it waits for: Krita's other threads and the X
server.  The kernel counts that time for each thread (``schedstat``).  Nothing here needs Krita or Qt.
"""

import threading
from collections.abc import Iterable
from pathlib import Path


def run_delays(tasks: Path, only: str = "*") -> dict[str, float]:
    """Seconds for which each thread below ``tasks`` (/proc/PID/task) was ready to run but had no core, by its number.

    ``only``: of that thread alone.  Empty where the kernel does not count them.
    """
    delays: dict[str, float] = {}
    try:
        threads = list(tasks.glob(only))
    except OSError:  # the process ended
        return delays
    for thread in threads:
        try:
            delays[thread.name] = int((thread / "schedstat").read_text().split()[1]) / 1e9
        except OSError:  # it ended meanwhile
            continue
    return delays


def own_run_delay() -> float:
    """Seconds for which the calling thread was ready to run but had no core, since it began."""
    thread = str(threading.get_native_id())
    return run_delays(Path("/proc/self/task"), only=thread).get(thread, 0.0)


def longest_wait(before: dict[str, float], after: dict[str, float], leave_out: Iterable[str]) -> float:
    """The longest that any one thread waited for a core between two results of ``run_delays``."""
    ignored = set(leave_out)
    return max((after[thread] - before.get(thread, 0.0) for thread in after if thread not in ignored), default=0.0)


def own_seconds(gap: float, cpu: float, waited: float, others_waited: float) -> float:
    """Seconds of a gap that the window itself is to blame for: it computed, or it was blocked.

    gap: wall time.  cpu: processor time that the window's thread used in it.  waited: its own time without a core.
    others_waited: that of the thread it may have waited for.  Never less than ``cpu``.
    """
    return max(cpu, gap - waited - others_waited)
