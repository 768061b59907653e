"""The worker process: it imports torch, keeps models in memory and colors one job after the other.

It talks to the server over one pipe.  A thread receives commands while the main thread computes.  When the pipe closes,
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

from backend.server.worker.messages import BleachReference, Cancel, Command, Event, Log, ModelsListed, Ready, RunJob
from shared.devices.device_status import DeviceReport, NumberFormat
from shared.model_spec import ModelInfo

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerConfig:
    """What a worker is started with."""

    device: str
    """``auto``, or as torch names it."""
    failed: DeviceReport | None
    """What an earlier worker found before its device ended it: then the processor computes, and nothing is looked for."""
    number_format: NumberFormat
    """As in ``Settings``."""
    registry: str
    """As in ``Settings``."""
    preload: str
    """As in ``Settings``."""
    models: Path
    """Folder of models that the painter has added."""
    threads: int
    """Compute threads of this worker."""
    crash_log: Path
    """File for the Python traceback of a segmentation fault."""


def main(connection: "Connection[Event, Command]", config: WorkerConfig) -> None:
    """Run the process until the server ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the server handles it
    limit_threads(config.threads)
    stay_offline()
    channel = WorkerConnection(connection)
    logging.basicConfig(level=logging.INFO, handlers=[_PipeLogHandler(channel.send)])
    # Before the slow imports, so that the end of the server ends them, too.
    threading.Thread(target=channel.listen, name="listener", daemon=True).start()
    with config.crash_log.open("a", encoding="utf-8") as crash_log:
        faulthandler.enable(crash_log)
        try:
            from backend.server.worker.inference import InferenceRunner  # imports torch, so only after limit_threads
        except ImportError:
            _log.exception("the worker cannot import what it needs")
            raise
        runner = InferenceRunner(config.registry, config.models, config.threads, config.number_format, channel.send)
        channel.list_models = runner.models
        runner.use_device(config.device, config.failed)
        # The list comes before a model is loaded: the docker can show it meanwhile.
        channel.send(ModelsListed(runner.models()))
        channel.send(Ready(config.preload, runner.preload(config.preload)))
        gc.freeze()  # libraries and model are never freed; scanning them costs 0.1 s each time
        while True:
            command = channel.work.get()
            is_job = isinstance(command, RunJob)
            channel.send(runner.run(command, channel.cancelled) if is_job else runner.bleach(command))
            gc.collect()  # a traceback may still hold gigabytes of a failed job


def limit_threads(threads: int) -> None:
    """Set how many threads each numeric library uses, and that idle threads sleep.  Call it before importing any of them.

    Spinning threads are slow when Krita, or another program, needs one of their cores: whenever one is suspended, all others
    wait for it.  Measured with two threads and one of two cores busy: 22 s instead of 1.2 s for a drawing.
    """
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(threads)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # What torch cannot compute on a Mac's graphics goes to its processor, instead of failing.
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")


def stay_offline() -> None:
    """Forbid libraries to download weights by themselves.  Call it before importing any of them."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        os.environ[name] = "1"


class WorkerConnection:
    """The worker's end of the pipe to the server."""

    def __init__(self, connection: "Connection[Event, Command]") -> None:
        self._connection, self._send_lock = connection, threading.Lock()
        self._cancelled: set[str] = set()
        self.work: queue.SimpleQueue[RunJob | BleachReference] = queue.SimpleQueue()
        """What the server has sent to be done, one after the other."""
        self.list_models: Callable[[], tuple[ModelInfo, ...]] | None = None
        """Answers ``ListModels``; None until the libraries it needs are imported."""

    def send(self, event: Event) -> None:
        """Send an event.  Ends the process when the server is gone."""
        try:
            with self._send_lock:
                self._connection.send(event)
        except OSError:
            os._exit(1)

    def listen(self) -> None:
        """Receive commands until the server is gone, then end the process, whatever it is doing."""
        while True:
            try:
                command = self._connection.recv()
            except (EOFError, OSError):
                os._exit(1)
            if isinstance(command, Cancel):
                self._cancelled.add(command.job)
            elif isinstance(command, RunJob | BleachReference):
                self.work.put(command)
            elif self.list_models is not None:  # None: the first ``ModelsListed`` comes anyway
                self._list(self.list_models)

    def _list(self, list_models: Callable[[], tuple[ModelInfo, ...]]) -> None:
        try:
            self.send(ModelsListed(list_models()))
        except Exception:  # noqa: BLE001  this thread must go on receiving cancels, whatever is in the models folder
            _log.exception("the models cannot be listed")

    def cancelled(self, job: str) -> bool:
        """Whether the server has cancelled this job."""
        return job in self._cancelled


class _PipeLogHandler(logging.Handler):
    """Sends log lines to the server, which alone writes the log file."""

    def __init__(self, send: Callable[[Event], None]) -> None:
        super().__init__(logging.INFO)
        self._send_event = send

    def emit(self, record: logging.LogRecord) -> None:
        self._send_event(Log(record.levelno, record.name, self.format(record)))
