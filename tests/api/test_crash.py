"""Workers that die, servers that die, and what is left afterwards."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.client import Client, find_server
from shared.errors import ErrorCode, LinewashError
from shared.protocol import LAYERS, JobState
from tests.api import images
from tests.api.backend_process import BackendProcess
from tests.api.following import last, send, until

Starter = Callable[..., BackendProcess]


@pytest.mark.parametrize("model", ["left", "segfault"])
def test_a_worker_that_dies_fails_its_job_and_the_next_one_works(backend: BackendProcess, client: Client, model: str) -> None:
    before = backend.worker_pid()
    job, waiting = send(client, images.request(model)), send(client, images.request())
    failed = last(client, job)
    assert failed.state is JobState.FAILED and failed.error is not None and failed.error.code is ErrorCode.WORKER_CRASHED
    assert last(client, waiting).state is JobState.DONE
    assert backend.worker_pid() != before


def test_a_segmentation_fault_leaves_its_place_in_the_crash_log(backend: BackendProcess, client: Client) -> None:
    last(client, send(client, images.request("segfault")))
    assert "in segfault" in (backend.home / "logs" / "crash.log").read_text()


def test_a_killed_worker_fails_its_job_within_a_second(backend: BackendProcess, client: Client) -> None:
    job = send(client, images.request("stuck"))
    until(client, job, lambda status: status.stage == "denoise")
    killed = time.monotonic()
    os.kill(backend.worker_pid(), signal.SIGKILL)
    failed = last(client, job)
    assert time.monotonic() - killed < 1.0
    assert failed.error is not None and failed.error.code is ErrorCode.WORKER_CRASHED
    assert last(client, send(client, images.request())).state is JobState.DONE


def test_a_worker_killed_while_idle_is_replaced_for_the_next_job(backend: BackendProcess, client: Client) -> None:
    os.kill(backend.worker_pid(), signal.SIGKILL)
    backend.wait_for_worker("down")
    assert last(client, send(client, images.request())).state is JobState.DONE


def test_a_worker_that_cannot_start_costs_a_job_and_no_more(start: Starter) -> None:
    client = start(registry="tests.api.nowhere").client
    for _ in range(2):
        failed = last(client, send(client, images.request()))
        assert failed.error is not None and failed.error.code is ErrorCode.WORKER_CRASHED
    with pytest.raises(LinewashError) as caught:
        client.status("0" * 32)
    assert caught.value.code is ErrorCode.JOB_UNKNOWN


def test_a_finished_result_outlives_a_killed_server(start: Starter) -> None:
    first = start()
    client = first.client
    finished = last(client, send(client, images.request(), key="finished"))
    layers = {name: client.layer(finished.id, name) for name in LAYERS}
    running, waiting = send(client, images.request("stuck")), send(client, images.request())
    until(client, running, lambda status: status.stage == "denoise")
    jobs = first.home / "jobs"
    first.kill()
    assert first.survivors() == [], "the worker must end with its server"
    (jobs / ("incoming-" + "0" * 32) / "inputs").mkdir(parents=True)
    (jobs / running.id / "result.partial").mkdir()
    (jobs / ("f" * 32)).mkdir()
    (jobs / "notes of the painter").mkdir()

    second = start(first.home)
    client = second.client
    assert [job.id for job in client.jobs()] == [finished.id, running.id, waiting.id]
    again = client.status(finished.id, after=finished.revision, wait_s=5.0)
    assert again == finished
    assert {name: client.layer(finished.id, name) for name in LAYERS} == layers
    for job in (running, waiting):
        status = client.status(job.id, after=99, wait_s=20.0)
        assert status.state is JobState.FAILED and status.error is not None and status.error.code is ErrorCode.INTERRUPTED
        assert not (jobs / job.id / "inputs").exists() and not (jobs / job.id / "result.partial").exists()
    assert send(client, images.request(), key="finished").id == finished.id
    assert sorted(path.name for path in jobs.iterdir()) == sorted([finished.id, running.id, waiting.id, "notes of the painter"])
    client.acknowledge(finished.id)
    assert not (jobs / finished.id).exists()


def test_a_clean_end_interrupts_what_runs_and_wakes_its_listener(start: Starter) -> None:
    backend = start()
    job = send(backend.client, images.request("stuck"))
    running = until(backend.client, job, lambda status: status.stage == "denoise")
    assert backend.process is not None
    backend.process.terminate()
    status = backend.client.status(job.id, after=running.revision, wait_s=20.0)
    assert status.error is not None and status.error.code is ErrorCode.INTERRUPTED
    assert backend.stop() == 0
    assert find_server(backend.home) is None


def test_a_client_whose_server_was_killed_reads_that_it_is_gone(start: Starter) -> None:
    backend = start()
    client = Client(backend.info, timeout_s=2.0)
    assert client.hello().pid == backend.info.pid
    backend.kill()
    for call in (client.hello, client.jobs, lambda: send(client, images.request()), client.shutdown):
        with pytest.raises(LinewashError) as caught:
            call()
        assert caught.value.code is ErrorCode.BACKEND_GONE
    client.close()


def test_what_is_not_a_job_of_ours_is_left_alone(start: Starter, tmp_path: Path) -> None:
    jobs = tmp_path / "home" / "jobs"
    jobs.mkdir(parents=True)
    (jobs / "readme.txt").write_text("mine")
    start(tmp_path / "home")
    assert (jobs / "readme.txt").read_text() == "mine"
