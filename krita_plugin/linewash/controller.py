"""All open documents' sessions, and the story of each run: capture, job, insert."""

import logging
from dataclasses import replace
from functools import partial
from typing import Any, Callable, Coroutine, Dict, Optional, Tuple

from .event_loop import Cancelled, EventLoop, Task, in_thread
from .images.clipboard import ClipboardImages
from .jobs.backend_connection import BackendConnection
from .jobs.backend_job import BackendJob, JobResult
from .jobs.backend_launcher import Launcher
from .jobs.bleached_references import BleachedReferences
from .jobs.colorize_job import ColorizeJob
from .jobs.device_list import DeviceList
from .jobs.fetch_job import FetchResultJob
from .jobs.model_list import ModelList
from .jobs.unclaimed_results import UnclaimedResults
from .krita_api.application import KritaApp
from .krita_api.document import Document
from .krita_api.result_layers import PreviousResult
from .qt import QtCore, QtWidgets, Signal
from .result_message import describe_result
from .shared.client import Client
from .shared.errors import ErrorCode, LinewashError
from .shared.paths import ServerInfo
from .shared.protocol import ColorizeRequest, JobStatus
from .state.choices import DEFAULT_MODEL, DockerState, read_finish, read_model
from .state.model_choices import find_model, mode_label
from .state.session import CHOOSE_REFERENCE, GRAYSCALE, Message, Phase, Progress, Session
from .threads import Threads
from .transfer.layer_capture import build_request, capture_layers, capture_lines
from .transfer.layer_writer import insert_result

SHUTDOWN_S = 4.0
"""How long Krita's end waits for a thread at most."""
POLL_MS = 500
"""How often the plugin checks for closed documents, and for undone results."""
Story = Callable[[], Coroutine[Any, Any, None]]
_log = logging.getLogger(__name__)


class ColorizeRun:
    """One run of one document: its number in the session, and the task that works on it."""

    def __init__(self, document: Document, session: Session) -> None:
        self.document, self.session, self.number = document, session, session.begin()
        self.task: Optional[Task] = None


class Controller(QtCore.QObject):
    """What the dockers of all of Krita's windows share: sessions, runs, models, unclaimed results.

    ``changed`` says that a docker has to show something else; it carries the document's ``session_id``, 0 for all documents.
    """

    changed = Signal(int)

    def __init__(self, app: KritaApp, launcher: Launcher, create_client: Callable[[ServerInfo], Client] = Client) -> None:
        super().__init__()
        self.app = app
        self.notice: Optional[Message] = None
        """What to say whatever document is in front."""
        self.clipboard_images = ClipboardImages()
        self.threads = Threads()
        self.loop = EventLoop(self.threads)
        self._connection = BackendConnection(launcher, create_client)
        self.models = ModelList(self.loop, self._connection, self)
        self.devices = DeviceList(self.loop, self._connection, self)
        self.unclaimed = UnclaimedResults(self.loop, self._connection, lambda: self.is_busy, self)
        self.models.changed.connect(self.devices.refresh)
        self.models.failed.connect(self._on_models_failed)
        self.devices.noticed.connect(self._show_notice)
        self.bleached = BleachedReferences(self.app, self.loop, self._connection, self)
        for part in (self.models, self.devices, self.unclaimed, self.bleached):
            part.changed.connect(self._on_part_changed)
        self._sessions: Dict[int, Tuple[Document, Session]] = {}
        self._runs: Dict[int, ColorizeRun] = {}
        self._poll_timer = QtCore.QTimer(self)
        self._poll_timer.timeout.connect(self.poll_documents)
        self._poll_timer.start(POLL_MS)
        application = QtCore.QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.shut_down)

    @property
    def is_busy(self) -> bool:
        """Whether a drawing is being colored, in whatever document."""
        return bool(self._runs)

    def session(self, document: Document) -> Session:
        """The session of a document."""
        if document.session_id not in self._sessions:
            message = GRAYSCALE if document.is_grayscale else CHOOSE_REFERENCE
            choices = DockerState(finish=read_finish(self.app), model=read_model(self.app))
            self._sessions[document.session_id] = (document, Session(choices, message))
            if find_model(self.models.models, choices.model) is None:
                # The default model can be asked to color before its spec is known, so no backend is started for it.
                (self.models.refresh if choices.model == DEFAULT_MODEL else self.models.refresh_or_start)()
            self.unclaimed.refresh()
        return self._sessions[document.session_id][1]

    def colorize(self, document: Document) -> None:
        """Begin a run, or say why not."""
        self.notice = None
        session = self.session(document)
        if session.busy:
            return
        # "Automatic" becomes a layer now: the painter may go to another one while the run goes on.
        choices = replace(session.choices, lines=session.line_layer(document.layers(), document.active_layer()))
        model = find_model(self.models.models, choices.model)
        if model is None and choices.model != DEFAULT_MODEL:
            self._look_for_model(document, session)
            return
        try:
            request = build_request(document, choices, model)
        except LinewashError as error:
            self._reject(document, error)
            return
        # So that Automatic finds the same lines again when the painter stands in the new layers.
        session.last_lines = choices.lines
        run = ColorizeRun(document, session)
        self._start(run, partial(self._colorize, run, choices, request, mode_label(choices, model)))

    def import_result(self, document: Document) -> None:
        """Put the newest unclaimed result into this document, beside its lines; or say why not."""
        self.notice = None
        session, jobs = self.session(document), self.unclaimed.jobs
        if session.busy or not jobs:
            return
        lines_id = session.line_layer(document.layers(), document.active_layer())
        if not lines_id:
            self._reject(document, LinewashError(ErrorCode.NO_LINES))
            return
        session.last_lines = lines_id
        run = ColorizeRun(document, session)
        self._start(run, partial(self._import_result, run, jobs[-1], lines_id))

    def cancel(self, document: Document) -> None:
        """Stop the document's run at once; whatever still arrives from it is dropped."""
        run = self._runs.get(document.session_id)
        if run is not None and run.session.phase is not Phase.WRITING and run.session.cancel(run.number):
            self._discard(run)

    def poll_documents(self) -> None:
        """Stop the runs of documents that were closed, and show or hide results after undo and redo."""
        for session_id, (document, session) in list(self._sessions.items()):
            if document.is_open:
                if not session.busy:
                    # This handles events, and so this very method may be called in the middle.
                    session.hidden_results.sync_visibility(document)
                continue
            run = self._runs.get(session_id)
            if run is not None:
                self._fail(run, LinewashError(ErrorCode.DOCUMENT_CLOSED))
            self._sessions.pop(session_id, None)

    def shut_down(self) -> None:
        """Krita ends: stop what runs, and wait for the threads, which check every second whether they are still wanted."""
        for run in list(self._runs.values()):
            run.session.cancel(run.number)
        self._runs.clear()  # nothing is shown any more
        self._poll_timer.stop()
        # Threads are told to give up before they are waited for.
        self._connection.close()
        self.unclaimed.stop()
        self.loop.stop()
        self.threads.join(SHUTDOWN_S)
        self._sessions.clear()
        # Last, as tasks close their scratch documents when they are cancelled.
        self.app.release()

    # -- the story of a run ---------------------------------------------------------------------------------------------

    async def _colorize(self, run: ColorizeRun, choices: DockerState, request: ColorizeRequest, label: str) -> None:
        """From the document's layers, through a job in the backend, to new layers."""
        captured, previous = await capture_layers(self.app, run.document, choices, request)
        job = ColorizeJob(captured, label, self._connection, self._reporter(run))
        del captured  # hundreds of megabytes maybe, which the job lets go of once they are encoded
        result = await self._run_job(run, job)
        await self._insert(run, result, previous)

    async def _import_result(self, run: ColorizeRun, status: JobStatus, lines_id: str) -> None:
        """From a finished job to new layers."""
        lines = await capture_lines(self.app, run.document, lines_id)
        job = FetchResultJob(status, lines_id, lines, run.document.size, self._connection, self._reporter(run))
        result = await self._run_job(run, job)
        await self._insert(run, result, None)

    async def _run_job(self, run: ColorizeRun, job: BackendJob) -> JobResult:
        self._advance(run, Phase.WORKING, "Packing the image…")
        try:
            return await in_thread(job.run)
        except Cancelled:
            job.cancel()
            self.threads.start(job.stop_backend_job)
            raise
        except Exception:
            self.unclaimed.refresh()  # what was to be fetched may be gone
            raise

    async def _insert(self, run: ColorizeRun, result: JobResult, previous: Optional[PreviousResult]) -> None:
        self._advance(run, Phase.WRITING, "Adding the layers…")
        try:
            written = await insert_result(self.app, run.document, result.layers, _is_pointer_down, previous)
        except Exception as error:
            if isinstance(error, LinewashError) and error.code is ErrorCode.DOCUMENT_CLOSED:
                self.threads.start(result.acknowledge)  # nobody is going to open it again for this
            else:
                self.unclaimed.add(result.status)
            raise
        # Acknowledged only now: had Krita crashed before, the backend would still offer the result.
        self.unclaimed.dismiss(result.status.id)
        self.threads.start(result.acknowledge)
        self.notice = None
        run.session.hidden_results.add(written)
        run.session.finish(run.number, describe_result(run.document, result, written))
        self.models.refresh()
        self.unclaimed.refresh()

    # -- how a run begins and ends ----------------------------------------------------------------------------------------

    def _start(self, run: ColorizeRun, story: Story) -> None:
        self._runs[run.document.session_id] = run
        run.task = self.loop.start(self._run_to_end(run, story))
        self.changed.emit(run.document.session_id)

    async def _run_to_end(self, run: ColorizeRun, story: Story) -> None:
        """Await the story, and show the painter how it ended."""
        try:
            await story()
        except LinewashError as error:
            self._fail(run, error)
        except Exception as error:  # noqa: BLE001 - the painter must not wait for ever
            _log.exception("a run failed")
            self._fail(run, LinewashError(ErrorCode.INTERNAL, repr(error)))
        finally:
            self._discard(run)

    def _advance(self, run: ColorizeRun, phase: Phase, text: str) -> None:
        if not run.session.advance(run.number, phase, text):
            raise Cancelled
        self.changed.emit(run.document.session_id)

    def _reporter(self, run: ColorizeRun) -> Callable[[Progress], None]:
        """The function that a job calls, in its thread, when it has made progress."""
        return lambda progress: self.threads.call_in_window(partial(self._report, run, progress))

    def _report(self, run: ColorizeRun, progress: Progress) -> None:
        if run.session.report(run.number, progress):
            self.changed.emit(run.document.session_id)

    def _fail(self, run: ColorizeRun, error: LinewashError) -> None:
        if run.session.fail(run.number, error):
            if error.code is ErrorCode.DOCUMENT_CLOSED:
                self.notice = Message.from_error(error)  # its own document is not there to show it
            self._discard(run)

    def _discard(self, run: ColorizeRun) -> None:
        """Forget a run that has ended, and cancel its task if it is still on its way."""
        if self._runs.get(run.document.session_id) is run:
            del self._runs[run.document.session_id]
            if run.task is not None:
                run.task.cancel()
            self.changed.emit(run.document.session_id)

    def _reject(self, document: Document, error: LinewashError) -> None:
        self.session(document).reject(error)
        self.changed.emit(document.session_id)

    def _look_for_model(self, document: Document, session: Session) -> None:
        if self.models.models:
            session.reject(LinewashError(ErrorCode.UNKNOWN_MODEL, session.choices.model))
        else:
            session.message = Message("Looking for the model…", "Press Colorize again in a moment.")
        self.models.refresh_or_start()
        self.changed.emit(document.session_id)

    def _on_models_failed(self, error: LinewashError) -> None:
        self._show_notice(Message.from_error(error))

    def _show_notice(self, message: Message) -> None:
        self.notice = message

    def _on_part_changed(self) -> None:
        self.changed.emit(0)


def _is_pointer_down() -> bool:
    """Whether a mouse button or a pen is down."""
    return QtWidgets.QApplication.mouseButtons() != QtCore.Qt.MouseButton.NoButton
