"""Backends for the API tests; each ends with its test and leaves no process behind."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.client import Client
from tests.api.backend_process import BackendProcess

Starter = Callable[..., BackendProcess]


@pytest.fixture(scope="session")
def shared_backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackendProcess]:
    """One backend for all tests that do it no harm."""
    backend = BackendProcess(tmp_path_factory.mktemp("shared"), max_part_bytes=2_000_000, max_request_bytes=3_000_000).start()
    yield backend
    backend.stop()


@pytest.fixture
def backend(shared_backend: BackendProcess) -> Iterator[BackendProcess]:
    """The shared backend, with its worker ready; every job of the test is over and forgotten afterwards."""
    shared_backend.wait_for_worker("ready")
    yield shared_backend
    client = shared_backend.client
    for job in client.jobs():
        client.cancel(job.id)
        for _ in client.follow(job.id):
            pass
        client.acknowledge(job.id)


@pytest.fixture
def client(backend: BackendProcess) -> Client:
    return backend.client


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Starts a backend of the test's own; called again, it starts another one for the same home."""
    started: list[BackendProcess] = []

    def starter(home: Path | None = None, **settings: object) -> BackendProcess:
        backend = BackendProcess(home or tmp_path / "home", **settings).start()
        started.append(backend)
        return backend

    yield starter
    for backend in started:
        backend.stop()
