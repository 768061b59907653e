"""How the set-up of the backend is getting on: a small file that the installer writes and the docker reads.

The installer is started with ``--progress-file FILE`` and replaces FILE a few times a second.  Whoever wants it to pause sends
SIGTERM, or makes ``stop_file(FILE)``, which is the way on Windows; the next start goes on where it stopped.
"""

import contextlib
import json
import math
import time
from dataclasses import asdict, dataclass, fields, replace
from enum import Enum
from pathlib import Path
from typing import Any, Dict, Optional

from .atomic_file import write_atomically
from .paths import process_alive

HEARTBEAT_S = 2.0
"""The file is written at least this often while the installer runs."""

SILENCE_S = 60.0
"""When the file is older than this the installer is taken for gone, even if another program has its process number by now."""

PROCESSOR_OPTION = "install for the processor: --device cpu"
"""How a hint in a terminal says what the docker has a button for."""


class SetupTask(str, Enum):
    """What the installer is asked to do; the value is its command."""

    INSTALL = "install"
    """Also an update."""
    REPAIR = "repair"
    REMOVE = "uninstall"


class SetupPhase(str, Enum):
    """What the installer is doing, in the order in which it happens.  The value is its spelling in the file."""

    CHECK = "check"
    """Python, hardware, what is there already."""
    RESOLVE = "resolve"
    """Which packages are needed, and how large they are."""
    DOWNLOAD = "download"
    """The packages are downloaded; the phase with a number of bytes."""
    INSTALL = "install"
    """The packages are unpacked; bytes count what has been unpacked, as far as that is known."""
    TRY_OUT = "try_out"
    """A tiny drawing is colored."""
    PLUGIN = "plugin"
    """The plugin goes into Krita."""
    REMOVE = "remove"
    """Everything but the painter's own files is removed."""


class SetupState(str, Enum):
    """Whether the installer is at work.  The value is its spelling in the file."""

    RUNNING = "running"
    PAUSED = "paused"
    """It ended because it was asked to; the next start goes on."""
    FAILED = "failed"
    """It ended with ``error`` and ``hint``; what it has downloaded is kept."""
    DONE = "done"
    INTERRUPTED = "interrupted"
    """Never in the file: what a reader finds when it says running and nobody is; the next start goes on."""


@dataclass(frozen=True)
class SetupProgress:
    """One look at the set-up."""

    phase: SetupPhase
    state: SetupState
    sentence: str
    """What is done now, in one sentence for the painter."""
    pid: int
    """The installer's process."""
    time_s: float = 0.0
    """When this was written, in seconds since 1970."""
    done_bytes: int = 0
    total_bytes: int = 0
    """Of the phase; 0 = unknown."""
    bytes_per_second: float = 0.0
    """Of the download, over the last seconds; 0 = unknown."""
    needed_bytes: int = 0
    """Disk space that the rest of the set-up takes at most; 0 = unknown."""
    free_bytes: int = 0
    """Free on the disk that it goes to; 0 = unknown."""
    device: str = ""
    """The kind of device PyTorch is installed for: cpu, cuda, rocm, xpu or mps; '' = not decided."""
    error: str = ""
    """What went wrong, for the painter; '' unless the state is failed."""
    hint: str = ""
    """What to do about it."""
    task: SetupTask = SetupTask.INSTALL
    """What it was started for, so that the next start goes on with that."""
    wanted_device: str = ""
    """The kind of device that was asked for, as ``device``; '' = whatever suits this computer."""

    @property
    def fraction(self) -> Optional[float]:
        """Part of the phase that is done, 0..1; None when the total is unknown."""
        return min(1.0, self.done_bytes / self.total_bytes) if self.total_bytes > 0 else None

    @property
    def seconds_left(self) -> Optional[float]:
        """How long the download still takes at its present speed; None when that cannot be said."""
        if self.total_bytes <= 0 or self.bytes_per_second <= 0:
            return None
        return max(0, self.total_bytes - self.done_bytes) / self.bytes_per_second

    def to_json(self) -> Dict[str, Any]:
        """A JSON object that ``from_json`` turns back into an equal value."""
        return {**asdict(self), "phase": self.phase.value, "state": self.state.value, "task": self.task.value}

    @staticmethod
    def from_json(data: Any) -> "SetupProgress":
        """The value in ``data``; ValueError when a field is missing or of another type.  Unknown fields are left out."""
        if not isinstance(data, dict):
            raise ValueError("progress is not a JSON object")
        values: Dict[str, Any] = {f.name: data.get(f.name) for f in fields(SetupProgress)}
        phase = SetupPhase(values["phase"])
        # An older installer did not name its task, nor a device.
        task = values["task"] or (SetupTask.REMOVE if phase is SetupPhase.REMOVE else SetupTask.INSTALL)
        values.update(phase=phase, state=SetupState(values["state"]), task=SetupTask(task))
        values["wanted_device"] = values["wanted_device"] or ""
        progress = SetupProgress(**values)
        texts = (progress.sentence, progress.device, progress.error, progress.hint, progress.wanted_device)
        counts = (progress.pid, progress.done_bytes, progress.total_bytes, progress.needed_bytes, progress.free_bytes)
        numbers = (progress.time_s, progress.bytes_per_second)
        if not all(type(text) is str for text in texts) or not all(type(count) is int for count in counts):
            raise ValueError("progress lacks a field")
        if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers) or min(counts) < 0:
            raise ValueError("progress is out of range")
        return progress


def stop_file(progress_file: Path) -> Path:
    """The file that asks the installer writing ``progress_file`` to pause; the next start removes it."""
    return progress_file.with_name(progress_file.name + ".stop")


def write_progress(path: Path, progress: SetupProgress) -> None:
    """Replace ``path`` atomically; raises OSError."""
    write_atomically(path, json.dumps(progress.to_json(), ensure_ascii=False).encode("utf-8"))


def read_progress(path: Path, now_s: Optional[float] = None) -> Optional[SetupProgress]:
    """What ``path`` says, with the state INTERRUPTED when it says running and the installer is gone.

    None when there is no such file or it is damaged.  now_s: the time, in seconds since 1970; None = now.
    """
    try:
        progress = SetupProgress.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
    if progress.state != SetupState.RUNNING:
        return progress
    silent_s = (time.time() if now_s is None else now_s) - progress.time_s
    if silent_s <= SILENCE_S and process_alive(progress.pid):
        return progress
    return replace(progress, state=SetupState.INTERRUPTED, bytes_per_second=0.0)


def clear_progress(path: Path) -> None:
    """Remove ``path`` and the wish to pause beside it, before a start."""
    for each in (path, stop_file(path)):
        with contextlib.suppress(FileNotFoundError):
            each.unlink()
