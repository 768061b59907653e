"""Worker processes as the server sees them: started, told what to do, listened to, and noticed when they die."""

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
    """Down: no process.  Starting: it imports and loads.  Ready: it waits for a job.  Busy: it has one."""

    DOWN = "down"
    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"


class WorkerHandle:
    """One worker process at a time, for one device.  All methods are called in the event loop, and so is ``on_event``."""

    def __init__(self, config: WorkerConfig, on_event: "Callable[[WorkerHandle, Event], None]") -> None:
        self.config = config
        self.state = WorkerState.DOWN
        self.job: str | None = None
        self._on_event = on_event
        self._process: SpawnProcess | None = None
        self._connection: Connection[Command, Event] | None = None

    @property
    def pid(self) -> int | None:
        """Process number, None while down."""
        return self._process.pid if self._process is not None and self.state is not WorkerState.DOWN else None

    def start(self) -> None:
        """Start a process; ``ModelsListed`` and ``Ready`` follow, or ``WorkerExited``."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=main, args=(theirs, self.config), name="linewash-worker", daemon=True)
        loop = asyncio.get_running_loop()
        self._connection, self.state, self.job = ours, WorkerState.STARTING, None
        try:
            self._process.start()
        except OSError as error:  # no memory or no process number left
            _log.error("a worker cannot be started: %s", error)
            ours.close()
            loop.call_soon(self._on_event, self, WorkerExited(None))
        else:
            _log.info("worker %d starts on %s", self._process.pid or 0, self.config.device)
            arguments = (self._process, ours, loop)
            threading.Thread(target=self._listen, args=arguments, name="worker events", daemon=True).start()
        finally:
            theirs.close()  # so that the pipe ends with the worker

    def send(self, command: Command) -> None:
        """Tell the worker; when it has just died, ``WorkerExited`` is already on its way."""
        if self._connection is None:
            return
        try:
            self._connection.send(command)
        except OSError:
            _log.info("the worker is gone")

    def kill(self) -> None:
        """End the process at once; ``WorkerExited`` follows."""
        if self._process is not None and self._process.pid is not None:
            self._process.kill()

    def join(self, seconds: float) -> None:
        """Wait until the process has ended.  Blocks."""
        if self._process is not None and self._process.pid is not None:
            self._process.join(seconds)

    def _listen(self, process: SpawnProcess, connection: "Connection[Command, Event]", loop: asyncio.AbstractEventLoop) -> None:
        ended = False
        while not ended:
            try:
                event = connection.recv()
            except (EOFError, OSError):
                process.join()  # whoever closed the pipe is about to end, or ended
                connection.close()
                event, ended = WorkerExited(process.exitcode), True
            try:
                loop.call_soon_threadsafe(self._on_event, self, event)
            except RuntimeError:  # the loop is closed: the server is ending
                return
