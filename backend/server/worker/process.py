"""The worker process: it imports torch, keeps the models it loaded and colors one job after the other.

The server talks to it over one pipe.  A thread listens for cancels while the main thread computes; when the pipe closes,
because the server ended or was killed, that thread ends the process at once.
"""

import faulthandler
import gc
import logging
import os
import queue
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from backend.server.worker.messages import Cancel, Command, Event, Log, ModelsListed, Ready, RunJob
from shared.model_spec import ModelInfo

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerConfig:
    """What a worker needs to know.  See ``Settings`` for registry and preload.

    device: as torch names it.  threads: compute threads of this worker.  crash_log: where the Python lines of a segmentation
    fault go.
    """

    device: str
    registry: str
    preload: str
    models: Path
    threads: int
    crash_log: Path


def main(connection: "Connection[Event, Command]", config: WorkerConfig) -> None:
    """Entry of the process; it ends with the server, or by a crash."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal group; the server decides
    limit_threads(config.threads)
    stay_offline()
    channel = WorkerConnection(connection)
    logging.basicConfig(level=logging.INFO, handlers=[_ToServer(channel.send)])
    threading.Thread(target=channel.listen, name="listener", daemon=True).start()
    with config.crash_log.open("a", encoding="utf-8") as crash_log:
        faulthandler.enable(crash_log)
        try:
            from backend.server.worker.inference import InferenceRunner  # torch and all; not before the threads are limited
        except ImportError:
            _log.exception("the worker cannot import what it needs")
            raise
        coloring = InferenceRunner(config.registry, config.models, config.threads, config.device)
        channel.list_models = coloring.models
        channel.send(ModelsListed(coloring.models()))
        channel.send(Ready(config.preload, coloring.preload(config.preload)))
        gc.freeze()  # libraries and model stay for good; looking through them costs a tenth of a second
        while True:
            channel.send(coloring.run(channel.runs.get(), channel.cancelled, channel.send))
            gc.collect()  # a failed picture may hang in a traceback, and it may be gigabytes


def limit_threads(threads: int) -> None:
    """Tell every numeric library, before it is imported, how many threads it may use, and that they sleep when they wait.

    Threads that spin instead are put aside where Krita, or anything else, wants one of their cores, and then all wait for
    them again and again: measured with two threads and one of two cores busy, 22 s for a picture of 1.2 s.
    """
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(threads)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def stay_offline() -> None:
    """Tell the libraries that could fetch weights by themselves, before they are imported, never to do so."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        os.environ[name] = "1"


class WorkerConnection:
    """The pipe to the server, seen from the worker.

    list_models: what answers ``ListModels``, None until the libraries it needs are imported.
    """

    def __init__(self, connection: "Connection[Event, Command]") -> None:
        self._connection, self._sending = connection, threading.Lock()
        self._cancelled: set[str] = set()
        self.runs: queue.SimpleQueue[RunJob] = queue.SimpleQueue()
        self.list_models: Callable[[], tuple[ModelInfo, ...]] | None = None

    def send(self, event: Event) -> None:
        """Send an event; ends the process when nobody is there to hear it."""
        try:
            with self._sending:
                self._connection.send(event)
        except OSError:
            os._exit(1)

    def listen(self) -> None:
        """Sort commands and list models until the server is gone, then end the process wherever it is."""
        while True:
            try:
                command = self._connection.recv()
            except (EOFError, OSError):
                os._exit(1)
            if isinstance(command, Cancel):
                self._cancelled.add(command.job)
            elif isinstance(command, RunJob):
                self.runs.put(command)
            elif self.list_models is not None:  # else ``ModelsListed`` is on its way without being asked for
                self._list(self.list_models)

    def _list(self, list_models: Callable[[], tuple[ModelInfo, ...]]) -> None:
        try:
            self.send(ModelsListed(list_models()))
        except Exception:  # noqa: BLE001  whatever lies in the models folder, this thread must go on hearing cancels
            _log.exception("the models cannot be listed")

    def cancelled(self, job: str) -> bool:
        """Whether the server wants this job stopped."""
        return job in self._cancelled


class _ToServer(logging.Handler):
    """Log lines go to the server, which alone writes the file."""

    def __init__(self, send: Callable[[Event], None]) -> None:
        super().__init__(logging.INFO)
        self._send_event = send

    def emit(self, record: logging.LogRecord) -> None:
        self._send_event(Log(record.levelno, record.name, self.format(record)))
