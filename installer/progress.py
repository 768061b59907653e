"""Says how the set-up is getting on: in a line of the terminal, sparsely in a pipe, and in a file that the docker reads."""

import _thread
import contextlib
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from shared.setup_progress import (
    HEARTBEAT_S,
    SetupPhase,
    SetupProgress,
    SetupState,
    SetupTask,
    clear_progress,
    stop_file,
    write_progress,
)

from .messages import SetupPaused, format_megabytes

FILE_PERIOD_S = 0.25
"""Time between two writes of the progress file."""

PIPE_PERIOD_S = 15.0
"""Time between two lines about one phase where the output is no terminal."""

SPEED_WINDOW_S = 5.0
"""The speed is that of the last seconds."""


class ProgressReport:
    """What the set-up does now.  Of one thread, but for ``_beat``, which only repeats what was said last."""

    def __init__(
        self,
        file: Path | None = None,
        output: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        task: SetupTask = SetupTask.INSTALL,
        wanted_device: str = "",
    ) -> None:
        self._file, self._output, self._clock = file, output or sys.stdout, clock
        sentence = "Looking at what is there …"
        phase, running = SetupPhase.CHECK, SetupState.RUNNING
        self._now = SetupProgress(phase, running, sentence, os.getpid(), task=task, wanted_device=wanted_device)
        self._lock = threading.Lock()
        self._written_s = self._printed_s = -1e9
        self._line_length = 0
        self._samples: deque[tuple[float, int]] = deque()

    @property
    def now(self) -> SetupProgress:
        """What was reported last."""
        return self._now

    def begin(self, phase: SetupPhase, sentence: str, total_bytes: int = 0, done_bytes: int = 0) -> None:
        """Say that ``phase`` begins, and print its sentence; its bytes are counted from ``done_bytes``."""
        self.end_line()
        self._samples.clear()
        self._now = replace(
            self._now, phase=phase, sentence=sentence, total_bytes=total_bytes, done_bytes=done_bytes, bytes_per_second=0.0
        )
        self._output.write(sentence + "\n")
        self._output.flush()
        self._printed_s = self._clock()
        self._write()

    def note(self, **values: int | str) -> None:
        """Set ``needed_bytes``, ``free_bytes`` or ``device``."""
        self._now = replace(self._now, **values)  # pyright: ignore[reportArgumentType]
        self._write()

    def advance(self, done_bytes: int, subject: str = "", total_bytes: int | None = None) -> None:
        """Say how many bytes of the phase are done, and what is being worked on, as the name of a package."""
        now_s = self._clock()
        self._samples.append((now_s, done_bytes))
        while now_s - self._samples[0][0] > SPEED_WINDOW_S:
            self._samples.popleft()
        first_s, first = self._samples[0]
        span_s = now_s - first_s
        speed = max(0.0, (done_bytes - first) / span_s) if span_s > 0.5 and self._now.phase == SetupPhase.DOWNLOAD else 0.0
        sentence = f"{_VERBS.get(self._now.phase, '')}{subject} …" if subject else self._now.sentence
        total = self._now.total_bytes if total_bytes is None else total_bytes
        self._now = replace(self._now, done_bytes=done_bytes, total_bytes=total, bytes_per_second=speed, sentence=sentence)
        if now_s - self._written_s >= FILE_PERIOD_S:
            self._write()
            self._print_line(now_s)

    def end_line(self) -> None:
        """Leave the terminal's progress line, so that something else can be printed."""
        if self._line_length:
            self._output.write("\n")
            self._output.flush()
        self._line_length = 0

    def finish(self, state: SetupState, sentence: str, error: str = "", hint: str = "") -> None:
        """Say how it ended; nothing is written after this."""
        self.end_line()
        self._now = replace(self._now, state=state, sentence=sentence, error=error, hint=hint, bytes_per_second=0.0)
        self._write()

    @contextlib.contextmanager
    def watch(self) -> Generator[None]:
        """Renew the file while the block runs, and raise SetupPaused in it on SIGTERM or a stop file.

        For the main thread alone: signals arrive there.
        """
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            clear_progress(self._file)
            self._write()
        ended = threading.Event()
        before = signal.signal(signal.SIGTERM, _raise_paused)
        beat = threading.Thread(target=self._beat, args=(ended,), daemon=True)
        beat.start()
        try:
            yield
        finally:
            ended.set()
            beat.join()
            signal.signal(signal.SIGTERM, before)

    def _beat(self, ended: threading.Event) -> None:
        is_asked = False
        while not ended.wait(FILE_PERIOD_S):
            if self._clock() - self._written_s > HEARTBEAT_S:
                self._write()
            if self._file is not None and not is_asked and stop_file(self._file).exists():
                is_asked = True
                _thread.interrupt_main(signal.SIGTERM)

    def _write(self) -> None:
        with self._lock:
            self._written_s = self._clock()
            if self._file is not None and (self._file.parent.is_dir()):
                # a full disk must not stop what it reports on, and Windows refuses while someone reads: the next one will do
                with contextlib.suppress(OSError):
                    write_progress(self._file, replace(self._now, time_s=time.time()))

    def _print_line(self, now_s: float) -> None:
        is_terminal = self._output.isatty()
        if not is_terminal and now_s - self._printed_s < PIPE_PERIOD_S:
            return
        text = describe(self._now)
        if is_terminal:
            self._output.write("\r" + text.ljust(self._line_length))
            self._line_length = len(text)
        else:
            self._output.write(text + "\n")
        self._output.flush()
        self._printed_s = now_s


def describe(progress: SetupProgress) -> str:
    """One line about a phase with bytes: ``Downloading torch …  120 MB of 389 MB (31 %), 8 MB/s, 34 s left``."""
    parts = [f"{format_megabytes(progress.done_bytes)} of {format_megabytes(progress.total_bytes)}"]
    if progress.fraction is None:
        return progress.sentence
    parts[0] += f" ({progress.fraction:.0%})"
    if progress.bytes_per_second > 0:
        parts.append(f"{format_megabytes(progress.bytes_per_second)}/s")
    left = progress.seconds_left
    if left is not None:
        parts.append(f"{left:.0f} s left" if left < 100 else f"{left / 60:.0f} min left")
    return f"  {progress.sentence}  {', '.join(parts)}"


_VERBS = {SetupPhase.DOWNLOAD: "Downloading ", SetupPhase.INSTALL: "Unpacking ", SetupPhase.CHECK: "Checking "}


def _raise_paused(*_: object) -> None:
    raise SetupPaused
