"""A stand-in for the client of the backend: answers a job step by step, fails on demand, and notes what it was asked."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np


class Backend:
    """What stands behind all clients of one test.  ``steps``: how long a job takes.  ``fail``: a call and its error code."""

    def __init__(self, plugin: Any) -> None:
        self.protocol, self.errors = plugin.shared.protocol, plugin.shared.errors
        self.info = plugin.shared.paths.ServerInfo("127.0.0.1", 1, "t", 1, 1, "0")
        self.steps, self.pause_s = 4, 0.0
        self.fail: dict[str, str] = {}
        self.calls: list[str] = []
        self.request: Any = None
        self.parts: dict[str, bytes] = {}
        self.cancelled = threading.Event()
        self.threads: set[int] = set()
        self.awake = False
        self.models: list[Any] = []
        self.jobs: list[Any] = []
        self.device_status: Any = None
        self.models_dir = Path("no models folder")
        self.layers: tuple[str, ...] = self.protocol.LAYERS

    def find_or_start(self, report: Any, is_cancelled: Any) -> Any:
        """As ``Launcher.find_or_start``."""
        self.note("connect")
        self.awake = True
        return self.info

    def find(self) -> Any:
        """As ``Launcher.find``."""
        return self.info if self.awake else None

    def models_folder(self) -> Path:
        """As ``Launcher.models_folder``."""
        return self.models_dir

    def client(self, info: Any) -> Client:
        """As the class ``Client``."""
        assert info == self.info
        return Client(self)

    def note(self, call: str) -> None:
        self.calls.append(call)
        self.threads.add(threading.get_ident())
        if call in self.fail:
            raise self.errors.LinewashError(self.errors.ErrorCode[self.fail[call]])


class Client:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *args: Any) -> None:
        pass

    def submit(self, request: Any, parts: Any, idempotency_key: str) -> Any:
        self.backend.note("submit")
        assert idempotency_key
        self.backend.request, self.backend.parts = request, parts.by_name()
        return self._status(0)

    def status(self, job_id: str, after: int = -1, wait_s: float = 0.0) -> Any:
        self.backend.note("status")
        time.sleep(self.backend.pause_s)
        return self._status(after + 1)

    def jobs(self) -> list[Any]:
        self.backend.note("jobs")
        return self.backend.jobs

    def models(self, wait_s: float = 0.0) -> list[Any]:
        return self.backend.models

    def device(self, wait_s: float = 0.0) -> Any:
        self.backend.note("device")
        if self.backend.device_status is None:
            raise self.backend.errors.LinewashError(self.backend.errors.ErrorCode.BAD_REQUEST)  # an older backend
        return self.backend.device_status

    def choose_device(self, choice: str) -> Any:
        self.backend.note("choose " + choice)
        used = self.backend.device_status.devices[0].name if choice == "auto" else choice
        self.backend.device_status = replace(self.backend.device_status, choice=choice, used=used, problem="")
        return replace(self.backend.device_status, used="", pending=True)

    def preview(self, job_id: str) -> bytes:
        self.backend.note("preview")
        return png(np.full((16, 16, 3), 120, np.uint8))

    def layer(self, job_id: str, name: str) -> bytes:
        self.backend.note("layer " + name)
        pixels = np.full((self.backend.request.height, self.backend.request.width, 4), 255, np.uint8)
        pixels[..., 0] = 200 if name == "foreground" else 40
        if name == "foreground":
            pixels[: self.backend.request.height // 2, :, 3] = 0
        return png(pixels)

    def bleach(self, reference: bytes, threshold: float, wait_s: float) -> bytes:
        """The lower half is foreground."""
        self.backend.note("bleach %g" % threshold)
        image = cv2.imdecode(np.frombuffer(reference, np.uint8), cv2.IMREAD_COLOR)
        image[image.shape[0] // 2 :] = 255
        return png(image)

    def cancel(self, job_id: str) -> Any:
        self.backend.note("cancel")
        self.backend.cancelled.set()
        return self._status(0)

    def acknowledge(self, job_id: str) -> None:
        self.backend.note("acknowledge")

    def _status(self, revision: int) -> Any:
        protocol, backend = self.backend.protocol, self.backend
        if backend.cancelled.is_set():
            return protocol.JobStatus("job", protocol.JobState.CANCELLED, revision=revision)
        if revision > backend.steps and "job" in backend.fail:
            error = backend.errors.LinewashError(backend.errors.ErrorCode[backend.fail["job"]])
            return protocol.JobStatus("job", protocol.JobState.FAILED, revision=revision, error=error)
        state = protocol.JobState.DONE if revision > backend.steps else protocol.JobState.RUNNING
        fraction = min(1.0, revision / (backend.steps + 1))
        numbers = {
            "progress": fraction,
            "step": revision,
            "steps": backend.steps,
            "preview": revision,
            "layers": backend.layers,
        }
        return protocol.JobStatus("job", state, revision, stage="denoise", model="mini", seed=backend.request.seed, **numbers)


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()
