"""Runs the set-up: finds a Python, starts the installer with it, and reads how it is getting on.  Blocks."""

import os
import shutil
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, List, Optional, Sequence, Tuple

from ..jobs.child_process import Surroundings, clean_environment, start_program
from ..shared.devices.graphics_cards import GraphicsCard, find_graphics_cards
from ..shared.errors import ErrorCode, LinewashError, is_disk_full
from ..shared.paths import setup_file
from ..shared.setup_progress import (
    SetupPhase,
    SetupProgress,
    SetupState,
    SetupTask,
    clear_progress,
    read_progress,
    stop_file,
    write_progress,
)
from .old_backend import end_backend_when_idle
from .package_index import configured_index, pip_configuration_files
from .release import Release, read_program
from .situation import SetupSnapshot, Situation, judge_situation
from .system_python import find_system_python
from .uv_python import existing_uv_python, fetch_uv, install_uv_python

FIRST_WORD_S = 60.0
"""How long the installer may take until it writes how it is getting on, seconds."""
_POLL_S = 0.1
_TAIL_BYTES = 2000


class SetupRunner:
    """The set-up of one release into one home.

    surroundings: finds out what Krita runs in.  find_python, find_cards: as ``find_system_python`` and
    ``find_graphics_cards``.  spawn: as ``subprocess.Popen``.
    """

    def __init__(
        self,
        release: Release,
        home: Path,
        surroundings: Callable[[], Surroundings] = Surroundings.now,
        find_python: Callable[[Surroundings], Optional[Path]] = find_system_python,
        spawn: Callable[..., Any] = subprocess.Popen,
        find_cards: Callable[[], Sequence[GraphicsCard]] = find_graphics_cards,
    ) -> None:
        self.release, self.home = release, home
        self._file = setup_file(home)
        self._surroundings, self._find_python, self._spawn = surroundings, find_python, spawn
        self._find_cards = find_cards
        self._cards: Optional[Tuple[str, ...]] = None
        self._process: Optional[Any] = None
        self._task, self._device = SetupTask.INSTALL, ""
        self._lock = threading.Lock()

    @property
    def tools(self) -> Path:
        """Folder of uv and its Python, where they were needed."""
        return self.home / "tools"

    def look(self) -> SetupSnapshot:
        """How things stand now."""
        if self._process is not None:
            self._process.poll()  # a process that has ended counts as alive until its parent asks
        progress, program = read_progress(self._file), read_program(self.home, self._surroundings())
        situation = judge_situation(self.release, program, progress)
        return SetupSnapshot(situation, progress, program, free_bytes(self.home), self._card_names())

    def run(self, task: SetupTask, is_cancelled: Callable[[], bool], is_closed: Callable[[], bool], device: str = "") -> None:
        """Start the installer, and return once it reports by itself; after a removal, once all is gone.

        device: the kind to set up for, as ``SetupProgress.wanted_device``.  is_cancelled: whether the painter wants to pause.
        is_closed: whether Krita ends; then the next start goes on.  Why it failed is written where the installer would write
        it.  LinewashError for callers who could not read that.
        """
        with self._lock:
            before = self.look()
            if before.situation is Situation.RUNNING and before.progress is not None and before.progress.pid != os.getpid():
                return  # another Krita was faster
            self._task, self._device = task, device
            try:
                self._say(_first_phase(task), "Looking for Python …")
                self._run(task, lambda: is_cancelled() or is_closed(), is_cancelled)
            except LinewashError as error:
                if not is_closed():
                    self._end(SetupState.FAILED, error=error.message, hint=error.hint)
                raise
            except _Stopped:
                if not is_closed():
                    self._end(SetupState.PAUSED)
            except OSError as error:
                code = ErrorCode.DISK_FULL if is_disk_full(error) else ErrorCode.SETUP_FAILED
                raise LinewashError(code, repr(error)) from error

    def _card_names(self) -> Tuple[str, ...]:
        if self._cards is None:
            self._cards = tuple(card.name or card.vendor for card in self._find_cards())
        return self._cards

    def ask_to_pause(self) -> None:
        """Ask an installer that runs to pause; LinewashError when the wish cannot be written."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            stop_file(self._file).touch()
        except OSError as error:
            code = ErrorCode.DISK_FULL if is_disk_full(error) else ErrorCode.SETUP_FAILED
            raise LinewashError(code, repr(error)) from error

    def forget_failure(self) -> None:
        """Leave a failed or interrupted set-up at that, where a program that works is installed."""
        clear_progress(self._file)

    def _run(self, task: SetupTask, is_stopped: Callable[[], bool], is_cancelled: Callable[[], bool]) -> None:
        phase = _first_phase(task)
        end_backend_when_idle(
            self.home, lambda: self._say(phase, "Waiting until the drawing in progress is colored …"), is_stopped
        )
        python = self._python(phase, is_stopped)
        if is_stopped():
            raise _Stopped
        self._say(phase, "Starting the installer …")
        process = self._process = self._start_installer(python, task)
        self._wait_for_first_word(process)
        if is_cancelled():
            self.ask_to_pause()
        if task is SetupTask.REMOVE:
            process.wait()
            shutil.rmtree(self.tools, ignore_errors=True)

    def _python(self, phase: SetupPhase, is_stopped: Callable[[], bool]) -> Path:
        surroundings = self._surroundings()
        environment = clean_environment(surroundings)
        python = self._find_python(surroundings) or existing_uv_python(self.tools, environment)
        if python is not None:
            return python
        index = configured_index(environment, pip_configuration_files(environment))

        def report(done: int, total: int) -> None:
            if is_stopped():
                raise _Stopped
            self._say(SetupPhase.DOWNLOAD, "Downloading uv, which brings a Python …", done, total)

        uv = fetch_uv(self.tools, index, report)
        self._say(phase, "Downloading a Python of Linewash's own …")

        def keep_alive() -> bool:
            self._say(phase, "Downloading a Python of Linewash's own …")
            return is_stopped()

        python = install_uv_python(uv, self.tools, environment, index.certificates, keep_alive)
        if python is None:
            raise _Stopped
        return python

    def _start_installer(self, python: Path, task: SetupTask) -> Any:
        command: List[str] = [str(python), "-B", str(self.release.folder / "install.py"), task.value, "--yes", "--no-plugin"]
        command += ["--home", str(self.home), "--progress-file", str(self._file)]
        command += ["--device", self._device] if self._device else []
        surroundings = self._surroundings()
        with self._log.open("wb") as output:
            return start_program(
                command,
                str(self.release.folder),
                surroundings,
                surroundings.sandbox,
                self._spawn,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def _wait_for_first_word(self, process: Any) -> None:
        """Return when the installer has written its own progress; LinewashError SETUP_FAILED if it never does."""
        end = time.monotonic() + FIRST_WORD_S
        while True:
            has_ended = process.poll() is not None
            progress = read_progress(self._file)
            if progress is not None and progress.pid != os.getpid():
                return
            if has_ended or time.monotonic() > end:
                raise LinewashError(ErrorCode.SETUP_FAILED, self._log_tail())
            time.sleep(_POLL_S)

    @property
    def _log(self) -> Path:
        return self._file.with_name("setup.log")

    def _log_tail(self) -> str:
        try:
            return self._log.read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace").strip()
        except OSError as error:
            return repr(error)

    def _say(self, phase: SetupPhase, sentence: str, done: int = 0, total: int = 0) -> None:
        progress = SetupProgress(phase, SetupState.RUNNING, sentence, os.getpid(), time.time(), done, total)
        self._write(replace(progress, task=self._task, wanted_device=self._device))

    def _end(self, state: SetupState, error: str = "", hint: str = "") -> None:
        before = read_progress(self._file) or SetupProgress(SetupPhase.CHECK, state, "", os.getpid())
        before = replace(before, task=self._task, wanted_device=self._device)
        self._write(replace(before, state=state, time_s=time.time(), error=error, hint=hint))

    def _write(self, progress: SetupProgress) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_progress(self._file, progress)


class _Stopped(Exception):
    """The painter wants to pause, or Krita ends."""


def free_bytes(folder: Path) -> Optional[int]:
    """Free bytes on the disk that ``folder``, which need not exist yet, will be on; None when that is unknown."""
    for each in (folder, *folder.parents):
        try:
            return shutil.disk_usage(each).free
        except OSError:
            continue
    return None


def _first_phase(task: SetupTask) -> SetupPhase:
    return SetupPhase.REMOVE if task is SetupTask.REMOVE else SetupPhase.CHECK
