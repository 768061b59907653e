"""All open pictures' sessions, and the way of each run: capture, worker, writer."""

from dataclasses import replace
from typing import Any, Callable, Dict, List, Optional, Tuple

from .chunked_task import Turns
from .images.clipboard import Pasted
from .jobs.backend_launcher import Launcher
from .jobs.colorize_job import Worker
from .jobs.fetch_job import Fetcher
from .jobs.job_thread import Carrier, Delivery, Errand
from .jobs.model_list import ModelWatch
from .jobs.unclaimed_results import Waiting
from .krita_api.application import Host
from .krita_api.document import Picture
from .krita_api.hidden_results import Written
from .krita_api.result_layers import Kept
from .qt import QtCore, QtWidgets, Signal
from .shared.client import Client
from .shared.errors import ErrorCode, LinewashError
from .state.choices import USUAL_MODEL, Choices, read_finish, read_model
from .state.model_choices import find_model, way_of
from .state.session import GRAY, READY, Message, Phase, Session, Tone
from .transfer.layer_capture import Captured, capture, check, read_lines
from .transfer.layer_writer import write

END_MS = 4000
"""How long Krita's end waits for a thread at most."""
WATCH_MS = 500
"""How often closed pictures, and undone results, are looked for."""


class Run:
    """One run of one picture: its number, and the turn-taker and thread that work on it just now."""

    def __init__(self, picture: Picture, session: Session, number: int) -> None:
        self.picture, self.session, self.number = picture, session, number
        self.turns: Optional[Turns] = None
        self.worker: Optional[Carrier] = None
        self.kept: Optional[Kept] = None


class Studio(QtCore.QObject):
    """One for each Krita, shared by the dockers of all its windows.  ``changed`` carries the key of a picture."""

    changed = Signal(int)

    def __init__(self, host: Host, launcher: Launcher, connect: Callable[..., Any] = Client) -> None:
        super().__init__()
        self.host = host
        self.notice: Optional[Message] = None
        self.pasted = Pasted()
        self._launcher, self._connect = launcher, connect
        self.models = ModelWatch(self, launcher, connect)
        self.waiting = Waiting(self, launcher, connect)
        self._sessions: Dict[int, Tuple[Picture, Session]] = {}
        self._runs: Dict[int, Run] = {}
        self._threads: List[QtCore.QThread] = []
        self._watch = QtCore.QTimer(self)
        self._watch.setInterval(WATCH_MS)
        self._watch.timeout.connect(self.look_after)
        self._watch.start()
        application = QtCore.QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.end)

    def session(self, picture: Picture) -> Session:
        """The session of a picture."""
        if picture.key not in self._sessions:
            ready = GRAY if picture.gray else READY
            choices = Choices(finish=read_finish(self.host), model=read_model(self.host))
            self._sessions[picture.key] = (picture, Session(choices, ready))
            if find_model(self.models.known, choices.model) is None:
                # what came with the program needs no description before it is asked for a picture
                (self.models.look if choices.model == USUAL_MODEL else self.models.look_hard)()
            self.waiting.look()
        return self._sessions[picture.key][1]

    @property
    def busy(self) -> bool:
        """Whether a run of any picture is going on."""
        return bool(self._runs)

    def color(self, picture: Picture) -> None:
        """Begin a run, or say why not."""
        self.notice = None
        session = self.session(picture)
        if session.busy:
            return
        choices = replace(session.choices, lines=session.line_layer(picture.layers(), picture.active_layer()))
        model = find_model(self.models.known, choices.model)
        if model is None and choices.model != USUAL_MODEL:
            self._look_for_model(picture, session)
            return
        try:
            request = check(picture, choices, model)
        except LinewashError as error:
            session.refuse(error)
            self.changed.emit(picture.key)
            return
        session.last_lines = choices.lines
        run = self._runs[picture.key] = Run(picture, session, session.begin())
        run.turns = Turns(
            capture(picture, choices, request),
            lambda captured: self._captured(run, captured, way_of(choices, model)),
            lambda error: self._failed(run, error),
            self,
        )
        self.changed.emit(picture.key)

    def bring(self, picture: Picture) -> None:
        """Put the newest picture that waits in the backend into this one, to its lines; or say why not."""
        self.notice = None
        session, jobs = self.session(picture), self.waiting.jobs
        if session.busy or not jobs:
            return
        lines = session.line_layer(picture.layers(), picture.active_layer())
        if not lines:
            session.refuse(LinewashError(ErrorCode.NO_LINES))
            self.changed.emit(picture.key)
            return
        session.last_lines = lines
        run = self._runs[picture.key] = Run(picture, session, session.begin())
        run.turns = Turns(
            read_lines(picture, lines),
            lambda pixels: self._carry(run, lambda: Fetcher(jobs[-1], lines, pixels, picture.size, *self._reach)),
            lambda error: self._failed(run, error),
            self,
        )
        self.changed.emit(picture.key)

    def _look_for_model(self, picture: Picture, session: Session) -> None:
        if self.models.known:
            session.refuse(LinewashError(ErrorCode.UNKNOWN_MODEL, session.choices.model))
        else:
            session.message = Message("Looking for the model…", "Press Color again in a moment.")
        self.models.look_hard()
        self.changed.emit(picture.key)

    def cancel(self, picture: Picture) -> None:
        """Stop the picture's run at once; what is on its way is dropped."""
        run = self._runs.get(picture.key)
        if run is not None and run.session.phase is not Phase.WRITING and run.session.cancel(run.number):
            self._drop(run)
            self._forget(run)

    def look_after(self) -> None:
        """Notice pictures that were closed and stop their runs; and results that were undone or redone."""
        for key, (picture, session) in list(self._sessions.items()):
            if picture.open:
                if not session.busy:
                    session.covers.follow(picture)
                continue
            run = self._runs.get(key)
            if run is not None and session.busy:
                self._failed(run, LinewashError(ErrorCode.DOCUMENT_CLOSED))
            del self._sessions[key]

    def errand(self, call: Callable[[], Any], returned: Optional[Callable[[Any], None]] = None) -> None:
        """Run a blocking call in a thread of its own; ``returned`` is called here with what it returned.

        Let ``returned`` be a method of a QObject: it is not called when that is gone by then.
        """
        thread = Errand(call, self)
        if returned is not None:
            thread.returned.connect(returned)
        self._start(thread)

    def end(self) -> None:
        """Krita ends: stop what runs, and wait for the threads, which look up at least every second."""
        for run in list(self._runs.values()):
            if run.session.cancel(run.number):
                self._drop(run)
        self.models.end()
        self.waiting.end()
        self._watch.stop()
        for thread in list(self._threads):
            thread.wait(END_MS)
        self._sessions.clear()
        self.host.let_go()

    def _captured(self, run: Run, captured: Captured, way: str) -> None:
        run.kept = captured.kept  # Krita's layers, which no other thread may let go of
        self._carry(run, lambda: Worker(replace(captured, kept=None), way, *self._reach))

    @property
    def _reach(self) -> Tuple[Any, ...]:
        """What a thread needs to reach the backend, and its parent."""
        return self._launcher, self._connect, self

    def _carry(self, run: Run, make: Callable[[], Carrier]) -> None:
        if not run.session.advance(run.number, Phase.WORKING, "Packing the picture…"):
            return
        worker = run.worker = make()
        run.turns = None
        worker.news.connect(lambda progress: run.session.report(run.number, progress) and self.changed.emit(run.picture.key))
        worker.failed.connect(lambda error: self._worker_failed(run, error))
        worker.delivered.connect(lambda delivery: self._delivered(run, delivery))
        self._start(worker)
        self.changed.emit(run.picture.key)

    def _delivered(self, run: Run, delivery: Delivery) -> None:
        if not run.session.advance(run.number, Phase.WRITING, "Adding the layers…"):
            return
        run.worker = None
        run.turns = Turns(
            write(run.picture, delivery.answer, _painting, run.kept),
            lambda written: self._written(run, delivery, written),
            lambda error: self._failed(run, error, delivery),
            self,
        )
        self.changed.emit(run.picture.key)

    def _written(self, run: Run, delivery: Delivery, written: Written) -> None:
        self.waiting.settle(delivery.status.id)
        self.errand(delivery.acknowledge)
        self.notice = None
        notes = list(delivery.status.warnings) + (["The earlier result is hidden."] if written.covered else [])
        run.session.covers.add(written)
        notes += [GRAY.text, GRAY.hint] if run.picture.gray else []
        run.session.finish(run.number, Message(delivery.text, " ".join(notes), Tone.GOOD))
        self._forget(run)
        self.models.look()
        self.waiting.look()

    def _worker_failed(self, run: Run, error: LinewashError) -> None:
        run.worker = None  # there is no job left to stop
        self._failed(run, error)
        self.waiting.look()  # what was to be fetched may be gone

    def _failed(self, run: Run, error: LinewashError, delivery: Optional[Delivery] = None) -> None:
        if not run.session.fail(run.number, error):
            return
        self._drop(run)
        if error.code is ErrorCode.DOCUMENT_CLOSED:
            self.notice = Message.of(error)  # its own picture is not there to show it
            if delivery is not None:
                self.errand(delivery.acknowledge)
        elif delivery is not None:
            self.waiting.lose(delivery.status)
        self._forget(run)

    def _drop(self, run: Run) -> None:
        """Stop what still works on a run."""
        if run.turns is not None:
            run.turns.stop()
        if run.worker is not None and run.worker.isRunning():
            run.worker.cancel()
            self.errand(run.worker.stop_job)

    def _forget(self, run: Run) -> None:
        if self._runs.get(run.picture.key) is run:
            del self._runs[run.picture.key]
        self.changed.emit(run.picture.key)

    def _start(self, thread: "QtCore.QThread") -> None:
        self._threads.append(thread)
        thread.finished.connect(lambda: self._threads.remove(thread))
        thread.finished.connect(thread.deleteLater)
        thread.start()


def _painting() -> bool:
    """Whether a mouse button or a pen is down."""
    return QtWidgets.QApplication.mouseButtons() != QtCore.Qt.MouseButton.NoButton
