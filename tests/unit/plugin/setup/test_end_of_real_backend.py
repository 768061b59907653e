"""An old backend, a real one, is asked to end before it is replaced: it colors first what it has begun."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.paths import read_server_info, server_file
from shared.protocol import JobState
from tests.api import images
from tests.api.backend_process import BackendProcess
from tests.api.following import last, send, until


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[BackendProcess]:
    backend = BackendProcess(tmp_path / "home").start()
    yield backend
    backend.stop()


@pytest.fixture
def end(plugin: Any) -> Callable[..., list[float]]:
    """Ends the backend of a home; when it said that there is work to wait for."""

    def run(home: Path, is_cancelled: Callable[[], bool] = lambda: False, claim_s: float = 1.0) -> list[float]:
        said: list[float] = []
        plugin.setup.old_backend.end_backend_when_idle(
            home, lambda: said.append(time.monotonic()), is_cancelled, claim_s=claim_s
        )
        return said

    return run


def test_one_that_has_nothing_to_do_ends_at_once(backend: BackendProcess, end: Any) -> None:
    assert end(backend.home) == []
    assert read_server_info(backend.home) is None
    assert backend.process is not None and backend.process.wait(10) == 0


def test_jobs_that_run_and_wait_are_finished_first_and_their_results_stay(backend: BackendProcess, end: Any) -> None:
    jobs = [send(backend.client, images.request("slow", steps=6)) for _ in range(2)]
    until(backend.client, jobs[0], lambda status: status.state is JobState.RUNNING)
    assert end(backend.home), "it said that it waits"
    assert read_server_info(backend.home) is None
    assert backend.process is not None and backend.process.wait(10) == 0
    for job in jobs:
        assert (backend.home / "jobs" / job.id / "result").is_dir()
    again = BackendProcess(backend.home).start()
    try:
        assert [again.client.status(job.id).state for job in jobs] == [JobState.DONE] * 2
        assert again.client.layer(jobs[0].id, "composite")
    finally:
        again.stop()


def test_a_result_that_was_waited_for_is_claimed_first(backend: BackendProcess, end: Any) -> None:
    job = send(backend.client, images.request("slow", steps=6))
    claimed: list[bytes] = []

    def claim() -> None:
        assert last(backend.client, job).state is JobState.DONE
        time.sleep(1.5)  # large layers take their time
        claimed.append(backend.client.layer(job.id, "composite"))
        backend.client.acknowledge(job.id)

    docker = threading.Thread(target=claim)
    docker.start()
    end(backend.home, claim_s=20.0)
    docker.join()
    assert claimed and read_server_info(backend.home) is None


def test_a_painter_who_does_not_want_to_wait_leaves_it_at_work(backend: BackendProcess, end: Any) -> None:
    job = send(backend.client, images.request("slow", steps=6))
    assert len(end(backend.home, is_cancelled=lambda: True)) == 1
    assert until(backend.client, job, lambda status: status.state.terminal).state is JobState.DONE
    assert read_server_info(backend.home) == backend.info


def test_one_of_another_protocol_is_asked_in_its_own_words(backend: BackendProcess, end: Any, plugin: Any) -> None:
    """The plugin that updates it is newer, so its own number would be refused."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        record = json.loads(server_file(backend.home).read_text())
        home = backend.home.with_name("older")
        server_file(home).parent.mkdir(parents=True)
        server_file(home).write_text(json.dumps({**record, "protocol": 1, "port": listener.getsockname()[1]}))

        def answer() -> None:
            for body in (b'{"jobs": []}', b"{}"):
                connection, _ = listener.accept()
                heard.append(connection.recv(4096))
                connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                connection.close()
            server_file(home).unlink()

        thread = threading.Thread(target=answer)
        thread.start()
        end(home)
        thread.join()
    version = plugin.shared.protocol.VERSION_HEADER.lower().encode()
    assert all(version + b": 1\r\n" in request.lower() for request in heard)
    assert [request.split()[:2] for request in heard] == [[b"GET", b"/v1/jobs"], [b"POST", b"/v1/shutdown"]]


@pytest.mark.parametrize("port", ["nobody", "another program"])
def test_a_record_that_a_crash_left_holds_nothing_up(tmp_path: Path, end: Any, port: str) -> None:
    """The process number belongs to another program by now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.getsockname()[1]
        if port == "nobody":
            listener.close()
        else:
            threading.Thread(target=_say_nonsense, args=(listener,), daemon=True).start()
        record = {"host": "127.0.0.1", "port": number, "token": "x" * 43, "pid": os.getpid(), "protocol": 3, "version": "0"}
        server_file(tmp_path).parent.mkdir(parents=True)
        server_file(tmp_path).write_text(json.dumps(record))
        begun = time.monotonic()
        assert end(tmp_path) == []
        assert time.monotonic() - begun < 3


def _say_nonsense(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    connection.close()
