"""Jobs on disk, tested without a server: atomic results, recovery, what is given up when nobody fetches it."""

import asyncio
import errno
import json
import os
from pathlib import Path

import pytest

from backend.server.jobs import Jobs
from backend.server.store import Store, StoredJob, new_job, write_result
from backend.server.upload import Upload
from shared.errors import ErrorCode, LinewashError
from shared.protocol import LAYERS, JobState
from tests.api import images

LAYER_FILES = {name: name.encode() * 100 for name in LAYERS}


def admitted(store: Store, key: str = "key") -> StoredJob:
    incoming = store.new_incoming()
    (incoming / "inputs" / "lines.png").write_bytes(b"lines")
    job = new_job(images.request(), key, "digest")
    store.admit(incoming, job)
    return job


def finish(store: Store, job: StoredJob) -> None:
    write_result(store.folder(job.status.id), LAYER_FILES, ("a warning",), {"prepare": 1.5})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "jobs")


def test_a_result_that_was_written_just_before_the_end_is_done(store: Store) -> None:
    job = admitted(store)
    finish(store, job)
    (recovered_job,) = store.recover()
    assert recovered_job.status.state is JobState.DONE and recovered_job.status.layers == LAYERS
    assert recovered_job.status.warnings == ("a warning",) and recovered_job.status.seconds == {"prepare": 1.5}
    assert (recovered_job.request, recovered_job.key, recovered_job.digest) == (job.request, "key", "digest")
    assert store.layer(job.status.id, "composite").read_bytes() == LAYER_FILES["composite"]
    assert store.recover() == [recovered_job]


def test_half_a_result_is_none(store: Store) -> None:
    job = admitted(store)
    folder = store.folder(job.status.id)
    (folder / "result.partial").mkdir()
    (folder / "result.partial" / "composite.png").write_bytes(b"half")
    (recovered_job,) = store.recover()
    assert recovered_job.status.error is not None and recovered_job.status.error.code is ErrorCode.INTERRUPTED
    assert sorted(path.name for path in folder.iterdir()) == ["request.json", "state.json"]


def test_a_cancelled_job_stays_cancelled_even_if_its_result_came_too_late(store: Store) -> None:
    job = admitted(store)
    finish(store, job)
    (folder := store.folder(job.status.id)).joinpath("state.json").write_text(
        json.dumps(job.status.to_json() | {"state": "cancelled"})
    )
    assert folder.is_dir()
    (recovered_job,) = store.recover()
    assert recovered_job.status.state is JobState.CANCELLED


@pytest.mark.parametrize("name", ["request.json", "state.json"])
@pytest.mark.parametrize("content", ["", "{", "[]", '{"id": 1}'])
def test_a_job_that_cannot_be_read_is_removed(store: Store, name: str, content: str) -> None:
    job, other = admitted(store), admitted(store, "other")
    (store.folder(job.status.id) / name).write_text(content)
    assert [recovered_job.status.id for recovered_job in store.recover()] == [other.status.id]
    assert not store.folder(job.status.id).exists()


def test_a_result_that_cannot_be_written_leaves_nothing(store: Store) -> None:
    job = admitted(store)
    folder = store.folder(job.status.id)
    (folder / "result").mkdir()
    (folder / "result" / "in the way").touch()
    with pytest.raises(OSError) as caught:
        finish(store, job)
    assert caught.value.errno in (errno.ENOTEMPTY, errno.EEXIST)
    assert not (folder / "result.partial").exists()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
def test_images_are_private(store: Store) -> None:
    job = admitted(store)
    finish(store, job)
    for folder in (store.folder(job.status.id), store.folder(job.status.id) / "result"):
        assert folder.stat().st_mode & 0o077 == 0


def test_the_oldest_unfetched_results_are_given_up_but_never_the_newest(store: Store) -> None:
    jobs = [_done(store, str(number)) for number in range(4)]
    store.recover()
    sizes = [store.size(job.status.id) for job in jobs]
    left = _after_pruning(store, keep_days=7, keep_bytes=2 * max(sizes))
    assert [job.stored.key for job in left] == ["2", "3"]
    assert [job.stored.key for job in _after_pruning(store, keep_days=7, keep_bytes=0)] == ["3"]


def test_old_results_are_given_up(store: Store) -> None:
    old, _ = _done(store, "old"), _done(store, "new")
    about = store.folder(old.status.id) / "request.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"created": old.created - 8 * 86400}))
    assert [job.stored.key for job in _after_pruning(store, keep_days=7, keep_bytes=10**9)] == ["new"]
    assert not store.folder(old.status.id).exists()


def test_a_refused_job_is_forgotten(store: Store) -> None:
    def full(_: object) -> None:
        raise LinewashError(ErrorCode.QUEUE_FULL)

    async def submit() -> None:
        jobs = Jobs(store, 7, 10**9)
        with pytest.raises(LinewashError):
            await jobs.admit(Upload(images.request(), "digest"), "key", store.new_incoming(), full)
        assert jobs.all() == [] and jobs.with_key("key") is None

    asyncio.run(submit())
    assert store.recover() == []


def _done(store: Store, key: str) -> StoredJob:
    job = admitted(store, key)
    finish(store, job)
    return job


def _after_pruning(store: Store, keep_days: float, keep_bytes: int) -> list:
    async def prune() -> list:
        jobs = Jobs(store, keep_days, keep_bytes)
        jobs.recover()
        await jobs.prune()
        return jobs.all()

    return asyncio.run(prune())
