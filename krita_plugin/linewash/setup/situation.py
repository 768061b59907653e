"""How things stand with the backend: installed or not, being set up, or stuck; plain values, no widgets, no files."""

from dataclasses import dataclass
from enum import Enum
from typing import Optional, Tuple

from ..shared.setup_progress import SetupPhase, SetupProgress, SetupState, SetupTask
from .release import InstalledProgram, Release


class Situation(Enum):
    """What the docker has to show."""

    READY = "ready"
    ABSENT = "absent"
    REMOVED = "removed"
    OUTDATED = "outdated"
    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass(frozen=True)
class SetupSnapshot:
    """One look at the set-up."""

    situation: Situation
    progress: Optional[SetupProgress]
    """What the installer wrote last; None = it never ran."""
    program: Optional[InstalledProgram]
    """What is installed and can be started; None = nothing."""
    free_bytes: Optional[int]
    """On the disk that it goes to; None = unknown."""
    cards: Tuple[str, ...] = ()
    """Names of the graphics cards found."""

    @property
    def task(self) -> SetupTask:
        """What going on, or trying again, means."""
        return self._unfinished.task if self._unfinished is not None else SetupTask.INSTALL

    @property
    def wanted_device(self) -> str:
        """The kind of device that it goes on for; '' = whatever suits this computer."""
        return self._unfinished.wanted_device if self._unfinished is not None else ""

    @property
    def _unfinished(self) -> Optional[SetupProgress]:
        return self.progress if self.progress is not None and self.progress.state is not SetupState.DONE else None


_SITUATIONS = {
    SetupState.RUNNING: Situation.RUNNING,
    SetupState.PAUSED: Situation.PAUSED,
    SetupState.INTERRUPTED: Situation.INTERRUPTED,
    SetupState.FAILED: Situation.FAILED,
}


def judge_situation(release: Release, program: Optional[InstalledProgram], progress: Optional[SetupProgress]) -> Situation:
    """What the installed program and the installer's last words come to."""
    if progress is not None and progress.state in _SITUATIONS:
        return _SITUATIONS[progress.state]
    if program is not None:
        return Situation.READY if program.version == release.version else Situation.OUTDATED
    is_removed = progress is not None and progress.phase is SetupPhase.REMOVE
    return Situation.REMOVED if is_removed else Situation.ABSENT
