"""Runs the server: one per home, a loopback socket, the runtime file, signals, and the exit when idle."""

import json
import logging
import logging.handlers
import os
import secrets
import socket
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from filelock import FileLock, Timeout

from backend.server.app import Activity, AppState, create_app
from backend.server.dispatcher import Dispatcher
from backend.server.jobs import Jobs
from backend.server.settings import Settings
from backend.server.store import Store
from shared.atomic_file import replace_atomically
from shared.client import find_server
from shared.errors import LinewashError
from shared.paths import ServerInfo, jobs_dir, lock_file, log_file, read_server_info, runtime_dir, server_file
from shared.protocol import PRODUCT_VERSION, PROTOCOL_VERSION

HOST = "127.0.0.1"
HANDOVER_S = 5.0
"""How long a new server waits for another that is just starting or ending, seconds."""
ORPHANED_S = 5.0
"""How long an idle server stays after its runtime file was removed, usually with its home, seconds."""
LOG_BYTES, LOG_FILES = 1024 * 1024, 3
"""Size of a log before it is rotated; how many older ones are kept."""
_log = logging.getLogger(__name__)


class AlreadyRunning(Exception):
    """Another server serves this home; the text says where it listens."""


def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until a signal, ``/v1/shutdown``, or ``idle_minutes`` without a request and without a job.

    ``announce`` gets one line once clients may connect.  Raises AlreadyRunning; OSError when home or port cannot be used.
    """
    home = settings.home
    for folder in (home, runtime_dir(home), jobs_dir(home), log_file(home).parent):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # mkdir does not change the mode of a folder that exists.
    runtime_dir(home).chmod(0o700)
    # The lock comes first: its holder owns the log, the jobs and the runtime file.
    with single_instance(home), socket.create_server((HOST, settings.port)) as listener:
        _configure_log(log_file(home))
        port: int = listener.getsockname()[1]
        info = ServerInfo(HOST, port, secrets.token_urlsafe(32), os.getpid(), PROTOCOL_VERSION, PRODUCT_VERSION)
        server = _build(settings, info)
        try:
            # Clients find the server by this file, so it appears when the port is open.
            write_private(server_file(home), json.dumps(info.to_json()).encode("utf-8"))
            line = "Linewash %s listens on %s:%d." % (PRODUCT_VERSION, HOST, port)
            _log.info("%s", line)
            announce(line)
            server.run(sockets=[listener])
        finally:
            server_file(home).unlink(missing_ok=True)
            _log.info("Linewash ends.")


@contextmanager
def single_instance(home: Path) -> Generator[None]:
    """Hold the home's lock, which the system releases however the process ends.  Raises AlreadyRunning.

    Whoever holds the lock may overwrite the runtime file: it can only be a leftover.
    """
    lock = FileLock(lock_file(home))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if _responds(home):
            raise AlreadyRunning(_describe_running(home)) from None
        try:
            # Locked, but nobody answers: the other server is just ending.
            lock.acquire(timeout=HANDOVER_S)
        except Timeout:
            raise AlreadyRunning(_describe_running(home)) from None
    try:
        yield
    finally:
        lock.release()


def write_private(path: Path, data: bytes) -> None:
    """Write a file atomically that only its owner may read."""
    with replace_atomically(path) as part:
        part.unlink(missing_ok=True)  # left by a killed server, perhaps with other permissions
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(data)


class _Server(uvicorn.Server):
    """A uvicorn server that ends when idle or asked to, ends long-polls first, and treats a signal as a normal exit."""

    def __init__(self, config: uvicorn.Config, state: AppState, info: ServerInfo) -> None:
        super().__init__(config)
        self._dispatcher, self._activity = state.dispatcher, state.activity
        self._home, self._info, self._idle_s = state.settings.home, info, state.settings.idle_minutes * 60.0

    async def on_tick(self, counter: int) -> bool:
        if not self._dispatcher.idle:
            self._activity.record()
        idle_s = time.monotonic() - self._activity.last
        if idle_s > self._idle_s:
            _log.info("no request for %.1f minutes, so the server ends", self._idle_s / 60.0)
            return True
        # Without its file no client finds this server.  A tick is 0.1 s; looking once a second is enough.
        if idle_s > ORPHANED_S and counter % 10 == 0 and read_server_info(self._home) != self._info:
            _log.info("the runtime file is gone, so the server ends")
            return True
        return self._activity.ending or await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # First, or uvicorn would wait for every long-poll.
        self._dispatcher.close()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True  # uvicorn's own handler would raise the signal again at the end


def _build(settings: Settings, info: ServerInfo) -> _Server:
    jobs = Jobs(Store(jobs_dir(settings.home)), settings.keep_days, settings.keep_bytes)
    state = AppState(settings, jobs, Dispatcher(settings, jobs), Activity())
    config = uvicorn.Config(
        create_app(state, info.port, info.token),
        lifespan="on",
        ws="none",
        http="h11",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
    )
    return _Server(config, state, info)


def _responds(home: Path) -> bool:
    try:
        client = find_server(home, timeout_s=2.0)
    except LinewashError:
        return True  # of another version, but alive
    if client is not None:
        client.close()
    return client is not None


def _describe_running(home: Path) -> str:
    info = read_server_info(home)
    if info is None:
        return "Another Linewash for %s is just starting or ending; try again in a moment." % home
    return "Linewash already runs for %s: it listens on %s:%d, process %d." % (home, info.host, info.port, info.pid)


def _configure_log(path: Path) -> None:
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.captureWarnings(True)
