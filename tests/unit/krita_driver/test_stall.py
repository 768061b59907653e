"""The measure of the window's stalls in the real-Krita tests: own work and own blocking count, waiting for a core does not."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.krita.driver.linewash_driver.stall import longest_wait, own_run_delay, own_seconds, run_delays

TASKS = Path("/proc/self/task")
pytestmark = pytest.mark.skipif(not (TASKS / str(os.getpid()) / "schedstat").exists(), reason="the kernel counts no run delays")
STALL_S = 0.100
"""As the window's tests judge."""

CROWDED = """
import os, subprocess, sys, time
sys.path.insert(0, {project!r})
from tests.unit.krita_driver.test_stall import compute, measured
core = min(os.sched_getaffinity(0))
os.sched_setaffinity(0, {{core}})
others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(6)]
try:
    time.sleep(1.0)
    print(*measured(lambda: compute(0.040)))
finally:
    for other in others:
        other.kill()
        other.wait()
"""


def compute(seconds: float) -> None:
    """Use that much processor time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def measured(work: object) -> tuple[float, float]:
    """Gap and own seconds of some work, as the ticker measures them."""
    assert callable(work)
    begin, cpu, delay = time.perf_counter(), time.thread_time(), own_run_delay()
    work()
    gap = time.perf_counter() - begin
    return gap, own_seconds(gap, time.thread_time() - cpu, own_run_delay() - delay, 0.0)


def test_a_busy_loop_is_counted() -> None:
    assert measured(lambda: compute(0.150))[1] > STALL_S


def test_a_blocking_call_is_counted() -> None:
    assert measured(lambda: time.sleep(0.150))[1] > STALL_S


def test_waiting_for_a_core_is_not_counted(project: Path) -> None:
    code = CROWDED.format(project=str(project))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    gap, own = map(float, done.stdout.split())
    assert gap > STALL_S, "seven programs shared one core"
    assert own < STALL_S


def test_what_others_waited_for_is_left_out_but_never_the_windows_own_work() -> None:
    assert own_seconds(0.30, cpu=0.01, waited=0.05, others_waited=0.20) == pytest.approx(0.05)
    assert own_seconds(0.30, cpu=0.15, waited=0.10, others_waited=0.20) == pytest.approx(0.15)


def test_the_longest_wait_is_of_one_thread() -> None:
    before, after = {"1": 1.0, "2": 2.0, "3": 0.0}, {"1": 1.1, "2": 2.3, "3": 9.0, "4": 0.2}
    assert longest_wait(before, after, ("3",)) == pytest.approx(0.3)
    assert longest_wait({}, {}, ()) == 0.0


def test_every_thread_has_a_run_delay() -> None:
    assert set(run_delays(TASKS)) >= {str(os.getpid())}
    assert run_delays(Path("/proc/0/task")) == {}
