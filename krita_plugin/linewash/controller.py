"""All open pictures' sessions, and the way of each run: capture, worker, writer."""

from dataclasses import replace
from typing import Any, Callable, Dict, List, Optional, Tuple

from .chunked_task import ChunkedTask
from .images.clipboard import ClipboardImages
from .jobs.backend_launcher import Launcher
from .jobs.colorize_job import ColorizeJob
from .jobs.fetch_job import FetchResultJob
from .jobs.job_thread import BackgroundTask, JobResult, JobThread
from .jobs.model_list import ModelList
from .jobs.unclaimed_results import UnclaimedResults
from .krita_api.application import KritaApp
from .krita_api.document import Document
from .krita_api.hidden_results import WrittenGroup
from .krita_api.result_layers import PreviousResult
from .qt import QtCore, QtWidgets, Signal
from .shared.client import Client
from .shared.errors import ErrorCode, LinewashError
from .state.choices import USUAL_MODEL, DockerState, read_finish, read_model
from .state.model_choices import find_model, mode_label
from .state.session import GRAY, READY, Message, Phase, Session, Severity
from .transfer.layer_capture import Captured, build_request, capture, read_lines
from .transfer.layer_writer import insert_result

END_MS = 4000
"""How long Krita's end waits for a thread at most."""
WATCH_MS = 500
"""How often closed pictures, and undone results, are looked for."""


class ColorizeRun:
    """One run of one picture: its number, and the turn-taker and thread that work on it just now."""

    def __init__(self, picture: Document, session: Session, number: int) -> None:
        self.picture, self.session, self.number = picture, session, number
        self.turns: Optional[ChunkedTask] = None
        self.worker: Optional[JobThread] = None
        self.kept: Optional[PreviousResult] = None


class Controller(QtCore.QObject):
    """One for each Krita, shared by the dockers of all its windows.  ``changed`` carries the key of a picture."""

    changed = Signal(int)

    def __init__(self, host: KritaApp, launcher: Launcher, connect: Callable[..., Any] = Client) -> None:
        super().__init__()
        self.host = host
        self.notice: Optional[Message] = None
        self.pasted = ClipboardImages()
        self._launcher, self._connect = launcher, connect
        self.models = ModelList(self, launcher, connect)
        self.waiting = UnclaimedResults(self, launcher, connect)
        self._sessions: Dict[int, Tuple[Document, Session]] = {}
        self._runs: Dict[int, ColorizeRun] = {}
        self._threads: List[QtCore.QThread] = []
        self._watch = QtCore.QTimer(self)
        self._watch.setInterval(WATCH_MS)
        self._watch.timeout.connect(self.poll_documents)
        self._watch.start()
        application = QtCore.QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.shut_down)

    def session(self, picture: Document) -> Session:
        """The session of a picture."""
        if picture.key not in self._sessions:
            ready = GRAY if picture.is_grayscale else READY
            choices = DockerState(finish=read_finish(self.host), model=read_model(self.host))
            self._sessions[picture.key] = (picture, Session(choices, ready))
            if find_model(self.models.models, choices.model) is None:
                # what came with the program needs no description before it is asked for a picture
                (self.models.refresh if choices.model == USUAL_MODEL else self.models.refresh_or_start)()
            self.waiting.refresh()
        return self._sessions[picture.key][1]

    @property
    def busy(self) -> bool:
        """Whether a run of any picture is going on."""
        return bool(self._runs)

    def color(self, picture: Document) -> None:
        """Begin a run, or say why not."""
        self.notice = None
        session = self.session(picture)
        if session.busy:
            return
        choices = replace(session.choices, lines=session.line_layer(picture.layers(), picture.active_layer()))
        model = find_model(self.models.models, choices.model)
        if model is None and choices.model != USUAL_MODEL:
            self._look_for_model(picture, session)
            return
        try:
            request = build_request(picture, choices, model)
        except LinewashError as error:
            session.reject(error)
            self.changed.emit(picture.key)
            return
        session.last_lines = choices.lines
        run = self._runs[picture.key] = ColorizeRun(picture, session, session.begin())
        run.turns = ChunkedTask(
            capture(picture, choices, request),
            lambda captured: self._captured(run, captured, mode_label(choices, model)),
            lambda error: self._failed(run, error),
            self,
        )
        self.changed.emit(picture.key)

    def import_result(self, picture: Document) -> None:
        """Put the newest picture that waits in the backend into this one, to its lines; or say why not."""
        self.notice = None
        session, jobs = self.session(picture), self.waiting.jobs
        if session.busy or not jobs:
            return
        lines = session.line_layer(picture.layers(), picture.active_layer())
        if not lines:
            session.reject(LinewashError(ErrorCode.NO_LINES))
            self.changed.emit(picture.key)
            return
        session.last_lines = lines
        run = self._runs[picture.key] = ColorizeRun(picture, session, session.begin())
        run.turns = ChunkedTask(
            read_lines(picture, lines),
            lambda pixels: self._start_job(
                run, lambda: FetchResultJob(jobs[-1], lines, pixels, picture.size, *self._connection_args)
            ),
            lambda error: self._failed(run, error),
            self,
        )
        self.changed.emit(picture.key)

    def _look_for_model(self, picture: Document, session: Session) -> None:
        if self.models.models:
            session.reject(LinewashError(ErrorCode.UNKNOWN_MODEL, session.choices.model))
        else:
            session.message = Message("Looking for the model…", "Press Color again in a moment.")
        self.models.refresh_or_start()
        self.changed.emit(picture.key)

    def cancel(self, picture: Document) -> None:
        """Stop the picture's run at once; what is on its way is dropped."""
        run = self._runs.get(picture.key)
        if run is not None and run.session.phase is not Phase.WRITING and run.session.cancel(run.number):
            self._stop_run(run)
            self._discard_run(run)

    def poll_documents(self) -> None:
        """Notice pictures that were closed and stop their runs; and results that were undone or redone."""
        for key, (picture, session) in list(self._sessions.items()):
            if picture.is_open:
                if not session.busy:
                    session.covers.sync_visibility(picture)
                continue
            run = self._runs.get(key)
            if run is not None and session.busy:
                self._failed(run, LinewashError(ErrorCode.DOCUMENT_CLOSED))
            del self._sessions[key]

    def run_in_background(self, call: Callable[[], Any], returned: Optional[Callable[[Any], None]] = None) -> None:
        """Run a blocking call in a thread of its own; ``returned`` is called here with what it returned.

        Let ``returned`` be a method of a QObject: it is not called when that is gone by then.
        """
        thread = BackgroundTask(call, self)
        if returned is not None:
            thread.returned.connect(returned)
        self._start(thread)

    def shut_down(self) -> None:
        """Krita ends: stop what runs, and wait for the threads, which look up at least every second."""
        for run in list(self._runs.values()):
            if run.session.cancel(run.number):
                self._stop_run(run)
        self.models.end()
        self.waiting.end()
        self._watch.stop()
        for thread in list(self._threads):
            thread.wait(END_MS)
        self._sessions.clear()
        self.host.release()

    def _captured(self, run: ColorizeRun, captured: Captured, way: str) -> None:
        run.kept = captured.kept  # Krita's layers, which no other thread may let go of
        self._start_job(run, lambda: ColorizeJob(replace(captured, kept=None), way, *self._connection_args))

    @property
    def _connection_args(self) -> Tuple[Any, ...]:
        """What a thread needs to reach the backend, and its parent."""
        return self._launcher, self._connect, self

    def _start_job(self, run: ColorizeRun, make: Callable[[], JobThread]) -> None:
        if not run.session.advance(run.number, Phase.WORKING, "Packing the picture…"):
            return
        worker = run.worker = make()
        run.turns = None
        worker.progress.connect(
            lambda progress: run.session.report(run.number, progress) and self.changed.emit(run.picture.key)
        )
        worker.failed.connect(lambda error: self._worker_failed(run, error))
        worker.delivered.connect(lambda delivery: self._delivered(run, delivery))
        self._start(worker)
        self.changed.emit(run.picture.key)

    def _delivered(self, run: ColorizeRun, delivery: JobResult) -> None:
        if not run.session.advance(run.number, Phase.WRITING, "Adding the layers…"):
            return
        run.worker = None
        run.turns = ChunkedTask(
            insert_result(run.picture, delivery.answer, _is_pointer_down, run.kept),
            lambda written: self._written(run, delivery, written),
            lambda error: self._failed(run, error, delivery),
            self,
        )
        self.changed.emit(run.picture.key)

    def _written(self, run: ColorizeRun, delivery: JobResult, written: WrittenGroup) -> None:
        self.waiting.dismiss(delivery.status.id)
        self.run_in_background(delivery.acknowledge)
        self.notice = None
        notes = list(delivery.status.warnings) + (["The earlier result is hidden."] if written.covered else [])
        run.session.covers.add(written)
        notes += [GRAY.text, GRAY.hint] if run.picture.is_grayscale else []
        run.session.finish(run.number, Message(delivery.text, " ".join(notes), Severity.GOOD))
        self._discard_run(run)
        self.models.refresh()
        self.waiting.refresh()

    def _worker_failed(self, run: ColorizeRun, error: LinewashError) -> None:
        run.worker = None  # there is no job left to stop
        self._failed(run, error)
        self.waiting.refresh()  # what was to be fetched may be gone

    def _failed(self, run: ColorizeRun, error: LinewashError, delivery: Optional[JobResult] = None) -> None:
        if not run.session.fail(run.number, error):
            return
        self._stop_run(run)
        if error.code is ErrorCode.DOCUMENT_CLOSED:
            self.notice = Message.from_error(error)  # its own picture is not there to show it
            if delivery is not None:
                self.run_in_background(delivery.acknowledge)
        elif delivery is not None:
            self.waiting.add(delivery.status)
        self._discard_run(run)

    def _stop_run(self, run: ColorizeRun) -> None:
        """Stop what still works on a run."""
        if run.turns is not None:
            run.turns.stop()
        if run.worker is not None and run.worker.isRunning():
            run.worker.cancel()
            self.run_in_background(run.worker.stop_job)

    def _discard_run(self, run: ColorizeRun) -> None:
        if self._runs.get(run.picture.key) is run:
            del self._runs[run.picture.key]
        self.changed.emit(run.picture.key)

    def _start(self, thread: "QtCore.QThread") -> None:
        self._threads.append(thread)
        thread.finished.connect(lambda: self._threads.remove(thread))
        thread.finished.connect(thread.deleteLater)
        thread.start()


def _is_pointer_down() -> bool:
    """Whether a mouse button or a pen is down."""
    return QtWidgets.QApplication.mouseButtons() != QtCore.Qt.MouseButton.NoButton
