"""The set-up as all dockers of one Krita share it: what is shown now, and what the painter's buttons do."""

import threading
from dataclasses import replace
from functools import partial
from typing import Optional

from ..event_loop import EventLoop, in_thread, pause
from ..jobs.backend_launcher import own_installation_file
from ..qt import QtCore, Signal
from ..shared.errors import LinewashError
from ..shared.paths import default_home
from ..shared.setup_progress import SetupTask
from ..state.session import Message
from .page_texts import PageText, page_text
from .release import read_release
from .setup_runner import SetupRunner
from .situation import SetupSnapshot, Situation

WORK_MS, REST_MS = 400, 1000
"""Time between two looks while the installer runs, and while the docker shows that the backend is missing."""

PROCESSOR = "cpu"
"""The kind of device that every computer has."""


class BackendSetup(QtCore.QObject):
    """Starts, pauses and watches the set-up.

    ``changed`` says that there is something else to show.
    """

    changed = Signal()

    def __init__(self, loop: EventLoop, runner: SetupRunner) -> None:
        super().__init__()
        self._loop, self._runner = loop, runner
        self.snapshot: Optional[SetupSnapshot] = None
        """What was seen last; None = not yet."""
        self.failure: Optional[LinewashError] = None
        """Why the set-up could not even write down why it failed."""
        self._cancel = threading.Event()
        self._closed = threading.Event()
        self._is_watching = self._is_starting = self._wants_pause = self._is_update_postponed = False
        self._may_resume = True
        application = QtCore.QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self._closed.set)
        self.look()

    @staticmethod
    def of_plugin(loop: EventLoop) -> "Optional[BackendSetup]":
        """The set-up of the release that came with the plugin; None when install.py put the plugin into Krita."""
        file = own_installation_file()
        release = None if file.exists() else read_release(file.with_name("program"))
        return BackendSetup(loop, SetupRunner(release, default_home())) if release is not None else None

    @property
    def page(self) -> PageText:
        """What the set-up page has to say."""
        snapshot = self.snapshot or SetupSnapshot(Situation.ABSENT, None, None, None)
        if self._is_starting and snapshot.situation is not Situation.RUNNING:
            snapshot = replace(snapshot, situation=Situation.RUNNING)
        text = page_text(snapshot, self._runner.release.version, str(self._runner.home), self.can_postpone)
        return replace(text, message=Message.from_error(self.failure)) if self.failure is not None else text

    @property
    def needs_page(self) -> bool:
        """Whether the docker has to show the set-up instead of its rows."""
        snapshot = self.snapshot
        if snapshot is None:
            return False
        if self.failure is not None or self._is_starting:
            return True
        if snapshot.situation is Situation.OUTDATED and self.can_postpone:
            return not self._is_update_postponed
        return snapshot.situation is not Situation.READY

    @property
    def can_postpone(self) -> bool:
        """Whether the installed backend can be used as it is, older or with a set-up that failed."""
        program = self.snapshot.program if self.snapshot is not None else None
        return program is not None and program.protocol == self._runner.release.protocol

    @property
    def is_pausing(self) -> bool:
        """Whether the installer was asked to pause and has not done so yet."""
        return self._wants_pause

    @property
    def is_busy(self) -> bool:
        """Whether the set-up is at work."""
        return self._is_starting or (self.snapshot is not None and self.snapshot.situation is Situation.RUNNING)

    def look(self) -> None:
        """See how things stand, and go on looking while they may change."""
        if not self._is_watching:
            self._is_watching = True
            self._loop.start(self._watch())

    def start(self, task: SetupTask, device: str = "") -> None:
        """Set up, repair or remove the backend; nothing happens while that goes on already.

        device: the kind to set up for; '' = whatever suits this computer.
        """
        if self.is_busy:
            return
        self._cancel.clear()
        self._is_starting, self.failure, self._is_update_postponed = True, None, False
        self._loop.start(self._start(task, device))
        self.look()  # it may have to wait first, for a drawing in progress or a Python
        self.changed.emit()

    def go_on(self) -> None:
        """Start what was not finished."""
        if self.snapshot is not None:
            self.start(self.snapshot.task, self.snapshot.wanted_device)

    def pass_by(self) -> None:
        """Take the way past the page: set up for the processor where that is offered, else use what is installed."""
        if self.snapshot is not None and self.page.offers_processor:
            self.start(self.snapshot.task, PROCESSOR)
        else:
            self.postpone()

    def pause(self) -> None:
        """Ask the installer to stop after what it is doing; what it has is kept."""
        self._wants_pause = True
        self._cancel.set()
        if not self._is_starting:
            self._loop.start(self._ask_to_pause())
        self.changed.emit()

    def postpone(self) -> None:
        """Use the installed backend as it is."""
        if self.snapshot is not None and self.snapshot.situation is Situation.OUTDATED:
            self._is_update_postponed = True
        else:
            self._loop.start(self._leave_failure())
        self.failure = None
        self.changed.emit()

    async def _watch(self) -> None:
        try:
            while True:
                self._take(await in_thread(self._runner.look))
                if not self.is_busy and not self.needs_page:
                    return
                await pause(WORK_MS if self.is_busy else REST_MS)
        finally:
            self._is_watching = False

    def _take(self, snapshot: SetupSnapshot) -> None:
        if self.failure is not None and self.snapshot is not None:
            # The file still says what was true before the failure that could not be written.
            snapshot = replace(snapshot, situation=Situation.FAILED)
        is_new = snapshot != self.snapshot
        self.snapshot = snapshot
        if snapshot.situation is not Situation.RUNNING and not self._is_starting:
            self._wants_pause = False
        if snapshot.situation is Situation.INTERRUPTED and self._may_resume and not self._is_starting:
            # The painter wanted it, and Krita or the computer has ended meanwhile.  Once: what ends again and again needs them.
            self._may_resume = False
            self.go_on()
        elif is_new:
            self.changed.emit()

    async def _start(self, task: SetupTask, device: str) -> None:
        try:
            await in_thread(partial(self._runner.run, task, self._cancel.is_set, self._closed.is_set, device))
        except LinewashError as error:
            snapshot = await in_thread(self._runner.look)
            # Else the file tells it, and a restart of Krita finds it there.
            self.failure = None if snapshot.situation is Situation.FAILED else error
            self.snapshot = replace(snapshot, situation=Situation.FAILED)
        finally:
            self._is_starting = False
        self._take(await in_thread(self._runner.look))
        self.changed.emit()
        self.look()

    async def _ask_to_pause(self) -> None:
        try:
            await in_thread(self._runner.ask_to_pause)
        except LinewashError as error:
            self._wants_pause, self.failure = False, error
            self.changed.emit()

    async def _leave_failure(self) -> None:
        await in_thread(self._runner.forget_failure)
        self._take(await in_thread(self._runner.look))
        self.changed.emit()
