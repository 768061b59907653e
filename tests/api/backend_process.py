"""A real backend: uvicorn in its own process, started the way the plugin starts it."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from shared.client import Client, find_server
from shared.paths import ServerInfo

PROJECT = Path(__file__).resolve().parents[2]
FAKES = "tests.api.fakes"


class BackendProcess:
    """``python -m backend serve --home HOME`` with a registry of fakes; ``settings`` become ``LINEWASH_...`` variables."""

    def __init__(self, home: Path, **settings: object) -> None:
        self.home = home
        chosen = {"registry": FAKES, "preload": "fake", "threads": 1} | settings
        self._environment = os.environ | {"LINEWASH_%s" % name.upper(): str(value) for name, value in chosen.items()}
        self.process: subprocess.Popen[str] | None = None
        self.client: Client
        self._pids: set[int] = set()

    @property
    def info(self) -> ServerInfo:
        return self.client.info

    def start(self) -> "BackendProcess":
        """Start and wait until it answers."""
        self.process = self.spawn()
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            client = find_server(self.home)
            if client is not None:
                self.client = client
                return self
            time.sleep(0.02)
        raise AssertionError("the backend did not start: %s" % self.process.communicate(timeout=1)[0])

    def spawn(self, *arguments: str) -> "subprocess.Popen[str]":
        """Another ``serve`` for the same home."""
        return subprocess.Popen(
            [sys.executable, "-m", "backend", "serve", "--home", str(self.home), *arguments],
            cwd=PROJECT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def worker_pid(self) -> int:
        """The worker's process number, once there is one."""
        return int(self.wait_for_worker("starting", "ready", "busy")["pid"])

    def wait_for_worker(self, *states: str, seconds: float = 120.0) -> dict:
        """The worker's row of ``/v1/system`` once its state is one of these."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            worker = self.client.system()["workers"][0]
            if worker["state"] in states:
                return worker
            time.sleep(0.02)
        raise AssertionError("worker never became %s: %s" % (states, worker))

    def kill(self) -> None:
        """Like a power cut: no cleaning up."""
        assert self.process is not None
        self._remember()
        self.process.send_signal(signal.SIGKILL)
        self._collect()

    def stop(self) -> int:
        """End it with SIGTERM; answers with its exit code.  Nothing of it may live on."""
        if self.process is None:
            return 0
        self._remember()
        if self.process.poll() is None:
            self.process.terminate()
        code = self._collect()
        left = self.survivors()
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert not left, "processes left behind: %s" % left
        return code

    def survivors(self, seconds: float = 5.0) -> list[int]:
        """Its worker processes that are still there after so long."""
        until = time.monotonic() + seconds
        left = [pid for pid in self._pids if _runs(pid)]
        while left and time.monotonic() < until:
            time.sleep(0.02)
            left = [pid for pid in left if _runs(pid)]
        return left

    def log(self) -> str:
        """What the backend logged."""
        return (self.home / "logs" / "backend.log").read_text(encoding="utf-8")

    def _remember(self) -> None:
        assert self.process is not None
        with suppress(psutil.NoSuchProcess):
            self._pids |= {child.pid for child in psutil.Process(self.process.pid).children(recursive=True)}

    def _collect(self) -> int:
        assert self.process is not None
        if hasattr(self, "client"):
            self.client.close()
        code = self.process.wait(timeout=60)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
