"""The server's handle of a worker process: start, send commands, receive events, notice its end."""

import asyncio
import logging
import multiprocessing
import threading
from collections.abc import Callable
from enum import Enum
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from backend.server.worker.messages import Command, Event, WorkerExited
from backend.server.worker.process import WorkerConfig, main

_log = logging.getLogger(__name__)


class WorkerState(str, Enum):
    """What a worker is doing."""

    DOWN = "down"
    """There is no process."""
    STARTING = "starting"
    """It imports libraries and loads a model."""
    READY = "ready"
    """It waits for a job."""
    BUSY = "busy"
    """It runs a job."""
    STOPPING = "stopping"
    """It ends, so that another one can start."""


class WorkerHandle:
    """One worker process at a time, for one device.  All methods, and ``on_event``, are called in the event loop."""

    def __init__(self, config: WorkerConfig, on_event: "Callable[[WorkerHandle, Event], None]") -> None:
        self.config = config
        self.state = WorkerState.DOWN
        self.job: str | None = None
        self.device = ""
        """Name of the device it uses; '' until it has said so."""
        self._on_event = on_event
        self._process: SpawnProcess | None = None
        self._connection: Connection[Command, Event] | None = None

    @property
    def pid(self) -> int | None:
        """The process number; None while down."""
        return self._process.pid if self._process is not None and self.state is not WorkerState.DOWN else None

    def start(self) -> None:
        """Start a process; ``ModelsListed`` and ``Ready`` follow, or ``WorkerExited``."""
        context = multiprocessing.get_context("spawn")
        server_end, worker_end = context.Pipe()
        self._process = context.Process(target=main, args=(worker_end, self.config), name="linewash-worker", daemon=True)
        loop = asyncio.get_running_loop()
        self._connection, self.state, self.job, self.device = server_end, WorkerState.STARTING, None, ""
        try:
            self._process.start()
        except OSError as error:  # no memory or process number is left
            _log.error("a worker cannot be started: %s", error)
            server_end.close()
            # Not at once: the caller does not expect an event inside ``start``.
            loop.call_soon(self._on_event, self, WorkerExited(None))
        else:
            _log.info("worker %d starts on %s", self._process.pid or 0, self.config.device)
            arguments = (self._process, server_end, loop)
            threading.Thread(target=self._listen, args=arguments, name="worker events", daemon=True).start()
        finally:
            worker_end.close()  # so that the pipe ends with the worker

    def send(self, command: Command) -> None:
        """Send a command.  When the worker has just died, nothing happens here: ``WorkerExited`` follows."""
        if self._connection is None:
            return
        try:
            self._connection.send(command)
        except OSError:
            _log.info("the worker is gone")

    def kill(self) -> None:
        """Kill the process; ``WorkerExited`` follows."""
        if self._process is not None and self._process.pid is not None:
            self._process.kill()

    def stop(self) -> None:
        """Kill the process while it runs no job; ``WorkerExited`` follows."""
        self.state = WorkerState.STOPPING
        self.kill()

    def join(self, seconds: float) -> None:
        """Wait until the process has ended, at most ``seconds``.  Blocks."""
        if self._process is not None and self._process.pid is not None:
            self._process.join(seconds)

    def _listen(self, process: SpawnProcess, connection: "Connection[Command, Event]", loop: asyncio.AbstractEventLoop) -> None:
        has_ended = False
        while not has_ended:
            try:
                event = connection.recv()
            except (EOFError, OSError):
                process.join()  # a worker closes the pipe only when it ends
                connection.close()
                event, has_ended = WorkerExited(process.exitcode), True
            try:
                loop.call_soon_threadsafe(self._on_event, self, event)
            except RuntimeError:  # the loop is closed: the server is ending
                return
