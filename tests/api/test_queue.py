"""Idempotency, long-polls, the bound of the queue, cancels."""

import threading
import time
from collections.abc import Callable

import pytest

from shared.client import Client
from shared.errors import ErrorCode, LinewashError
from shared.protocol import JobState
from tests.api import images
from tests.api.backend_process import BackendProcess
from tests.api.following import last, send, until


def test_the_same_key_is_the_same_job(client: Client) -> None:
    first = send(client, images.request(), key="once")
    again = send(client, images.request(), key="once")
    assert again.id == first.id
    last(client, first)
    assert send(client, images.request(), key="once").state is JobState.DONE
    assert len(client.jobs()) == 1
    client.acknowledge(first.id)
    assert send(client, images.request(), key="once").id != first.id


def test_the_same_key_sent_at_the_same_time_is_one_job(client: Client) -> None:
    ids: list[str] = []
    threads = [
        threading.Thread(target=lambda: ids.append(send(client, images.request("slow"), key="twice").id)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(ids) == 4 and len(set(ids)) == 1


@pytest.mark.parametrize("other", ["settings", "images"])
def test_the_same_key_with_another_body_is_a_conflict(client: Client, other: str) -> None:
    send(client, images.request(), key="conflict")
    wanted = images.request(seed=1 if other == "settings" else 0)
    color = images.RED if other == "settings" else (1, 2, 3)
    with pytest.raises(LinewashError) as caught:
        send(client, wanted, images.parts(wanted, color), key="conflict")
    assert caught.value.code is ErrorCode.IDEMPOTENCY_CONFLICT
    assert len(client.jobs()) == 1


def test_a_key_without_end_is_refused(client: Client) -> None:
    with pytest.raises(LinewashError) as caught:
        send(client, images.request(), key="k" * 201)
    assert caught.value.code is ErrorCode.BAD_REQUEST


def test_a_long_poll_waits_for_news_and_no_longer(client: Client) -> None:
    job = send(client, images.request("patient"))
    running = until(client, job, lambda status: status.stage == "denoise")
    started = time.monotonic()
    assert client.status(job.id, after=running.revision, wait_s=0.5) == running
    assert 0.4 < time.monotonic() - started < 3.0
    started = time.monotonic()
    assert client.status(job.id, after=running.revision - 1, wait_s=20.0) == running
    assert client.status(job.id, after=running.revision + 99, wait_s=20.0) == running
    assert time.monotonic() - started < 3.0


def test_a_long_poll_hears_a_change_at_once(client: Client) -> None:
    first, second = send(client, images.request("slow", steps=100)), send(client, images.request())
    assert client.status(second.id).state is JobState.QUEUED
    heard: list[tuple[JobState, float]] = []

    def listen() -> None:
        status = client.status(second.id, after=second.revision, wait_s=20.0)
        heard.append((status.state, time.monotonic()))

    thread = threading.Thread(target=listen)
    thread.start()
    time.sleep(0.2)
    cancelled = time.monotonic()
    client.cancel(second.id)
    thread.join(20)
    assert heard[0][0] is JobState.CANCELLED and heard[0][1] - cancelled < 1.0
    client.cancel(first.id)


def test_an_ended_job_has_no_more_news(client: Client) -> None:
    done = last(client, send(client, images.request()))
    started = time.monotonic()
    assert client.status(done.id, after=done.revision, wait_s=20.0) == done
    assert time.monotonic() - started < 2.0


def test_a_waiting_job_is_cancelled_at_once(client: Client) -> None:
    running, waiting = send(client, images.request("slow", steps=100)), send(client, images.request())
    assert client.cancel(waiting.id).state is JobState.CANCELLED
    assert client.cancel(waiting.id).state is JobState.CANCELLED
    assert client.cancel(running.id).state in (JobState.RUNNING, JobState.CANCELLED)
    assert last(client, running).state is JobState.CANCELLED


def test_a_running_job_is_cancelled_within_a_step(client: Client) -> None:
    job = send(client, images.request("slow", steps=200))
    until(client, job, lambda status: status.step >= 2)
    started = time.monotonic()
    client.cancel(job.id)
    ended = last(client, job)
    assert ended.state is JobState.CANCELLED and time.monotonic() - started < 1.0
    assert 2 <= ended.step < 100 and ended.error is None
    assert last(client, send(client, images.request())).state is JobState.DONE


def test_a_cancel_after_the_end_changes_nothing(client: Client) -> None:
    done = last(client, send(client, images.request()))
    assert client.cancel(done.id) == done
    assert client.layer(done.id, "composite")


def test_a_worker_that_ignores_a_cancel_is_ended(start: Callable[..., BackendProcess]) -> None:
    backend = start(cancel_grace_s=0.3)
    job = send(backend.client, images.request("stuck"))
    until(backend.client, job, lambda status: status.stage == "denoise")
    backend.client.cancel(job.id)
    assert last(backend.client, job).state is JobState.CANCELLED
    assert last(backend.client, send(backend.client, images.request())).state is JobState.DONE


def test_the_queue_has_a_bound_and_a_retry_does_not_count(start: Callable[..., BackendProcess]) -> None:
    client = start(max_queued=2).client
    running = send(client, images.request("slow", steps=200))
    until(client, running, lambda status: status.state is JobState.RUNNING)
    waiting = [send(client, images.request(), key=str(number)) for number in range(2)]
    with pytest.raises(LinewashError) as caught:
        send(client, images.request())
    assert caught.value.code is ErrorCode.QUEUE_FULL
    assert send(client, images.request(), key="1").id == waiting[1].id
    assert len(client.jobs()) == 3
    client.cancel(running.id)
    assert [last(client, job).state for job in waiting] == [JobState.DONE] * 2


@pytest.mark.parametrize("call", ["status", "cancel", "preview"])
def test_an_unknown_job_is_unknown(client: Client, call: str) -> None:
    for job_id in ("0" * 32, "..", "a/b", "%2e%2e", "x" * 1000):
        with pytest.raises(LinewashError) as caught:
            getattr(client, call)(job_id)
        assert caught.value.code in (ErrorCode.JOB_UNKNOWN, ErrorCode.BAD_REQUEST)
