"""Jobs in memory: queued, running, then exactly one of done, failed, cancelled.

Everything here runs in the server's event loop.  Only admitting a job needs a lock, because it waits for the disk.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend.server.store import Store, StoredJob, new_job
from backend.server.upload import Upload
from shared.errors import ErrorCode, LinewashError
from shared.protocol import JobState, JobStatus

_log = logging.getLogger(__name__)


class Job:
    """One job; its status only moves forward."""

    def __init__(self, stored: StoredJob) -> None:
        self.stored = stored
        self.status = stored.status
        self.preview = b""
        self.cancel_wanted = False
        self._changed = asyncio.Event()

    def change(self, status: JobStatus) -> None:
        """Replace the status, raise its revision and wake every waiting long-poll."""
        if self.status.state.terminal:
            raise AssertionError("job %s is already %s" % (self.status.id, self.status.state.value))
        self.status = replace(status, revision=self.status.revision + 1)
        # Whoever waits holds this event; the next change gets a new one.
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for_change(self, after: int, seconds: float) -> JobStatus:
        """The status as soon as its revision is not ``after``, at the latest after ``seconds``; at once for an ended job."""
        until = time.monotonic() + seconds
        while self.status.revision == after and not self.status.state.terminal:
            try:
                await asyncio.wait_for(self._changed.wait(), until - time.monotonic())
            except asyncio.TimeoutError:
                break
        return self.status


class Jobs:
    """All jobs, in memory and on disk.  ``keep_days`` and ``keep_bytes`` are those of ``Settings``."""

    def __init__(self, store: Store, keep_days: float, keep_bytes: int) -> None:
        self._store, self._keep_days, self._keep_bytes = store, keep_days, keep_bytes
        self._jobs: dict[str, Job] = {}
        self._by_key: dict[str, Job] = {}
        self._admission_lock = asyncio.Lock()
        self._save_tasks: dict[str, asyncio.Task[None]] = {}
        self._prune_task: asyncio.Task[None] | None = None

    @property
    def store(self) -> Store:
        """The jobs on disk."""
        return self._store

    def recover(self) -> None:
        """Load the jobs of an earlier server.  Blocks on the disk."""
        for stored in self._store.recover():
            job = Job(stored)
            self._jobs[job.status.id] = self._by_key[stored.key] = job

    def all(self) -> list[Job]:
        """Every job, oldest first."""
        return list(self._jobs.values())

    def get(self, job_id: str) -> Job:
        """The job of that id.  LinewashError JOB_UNKNOWN."""
        try:
            return self._jobs[job_id]
        except KeyError:
            raise LinewashError(ErrorCode.JOB_UNKNOWN, job_id[:40]) from None

    def with_key(self, key: str) -> Job | None:
        """The job that was first sent with this idempotency key."""
        return self._by_key.get(key)

    async def admit(self, upload: Upload, key: str, incoming: Path, enqueue: Callable[[Job], None]) -> JobStatus:
        """Make a job of an upload and pass it to ``enqueue``; return the existing job when the key was used before.

        Raises LinewashError IDEMPOTENCY_CONFLICT when the key came with another upload; OSError when the disk fails; and
        whatever ``enqueue`` raises, after which there is no such job.
        """
        # One at a time: two uploads with the same key must not become two jobs.
        async with self._admission_lock:
            existing = self._by_key.get(key)
            if existing is not None:
                if existing.stored.digest != upload.digest:
                    raise LinewashError(ErrorCode.IDEMPOTENCY_CONFLICT)
                return existing.status
            stored = new_job(upload.request, key, upload.digest)
            # On disk first: a job that the client was told of survives a crash.
            await asyncio.to_thread(self._store.admit, incoming, stored)
            job = Job(stored)
            self._jobs[job.status.id] = self._by_key[key] = job
            try:
                enqueue(job)
            except LinewashError:
                self._forget(job)
                await asyncio.to_thread(self._store.delete, job.status.id)
                raise
            return job.status

    def finish(self, job: Job, state: JobState, **changes: Any) -> None:
        """Give a job its terminal state and save it; later calls for the same job change nothing."""
        if job.status.state.terminal:
            return
        job.change(replace(job.status, state=state, **changes))
        _log.info("job %s %s %s", job.status.id, state.value, job.status.error or "")
        self._save_tasks[job.status.id] = asyncio.create_task(self._save(job))

    async def acknowledge(self, job: Job) -> None:
        """Delete an ended job.  LinewashError JOB_NOT_DONE while it runs."""
        if not job.status.state.terminal:
            raise LinewashError(ErrorCode.JOB_NOT_DONE)
        await self._delete(job)

    async def prune(self) -> None:
        """Delete unclaimed results: those that are too old, then the oldest until the rest is small enough.

        The newest is kept, whatever its size.
        """
        ended = [job for job in self._jobs.values() if job.status.state.terminal]
        sizes = await asyncio.to_thread(lambda: [self._store.size(job.status.id) for job in ended])
        total, now = sum(sizes), time.time()
        for job, size in list(zip(ended, sizes, strict=True))[:-1]:
            if now - job.stored.created > self._keep_days * 86400 or total > self._keep_bytes:
                _log.info("job %s is deleted, as it was never fetched", job.status.id)
                await self._delete(job)
                total -= size

    def prune_soon(self) -> None:
        """Start ``prune`` in the background unless it is running."""
        if self._prune_task is None or self._prune_task.done():
            self._prune_task = asyncio.create_task(self.prune())

    async def flush(self) -> None:
        """Wait until every ended job is on disk."""
        await asyncio.gather(*self._save_tasks.values())
        if self._prune_task is not None:
            await self._prune_task

    async def _save(self, job: Job) -> None:
        try:
            await asyncio.to_thread(self._store.write_status, job.status)
        except OSError as error:  # memory has it; a restart recovers it from the result, or as interrupted
            _log.warning("the state of job %s is not on disk: %s", job.status.id, error)
        await asyncio.to_thread(self._store.drop_inputs, job.status.id)
        self.prune_soon()

    async def _delete(self, job: Job) -> None:
        self._forget(job)
        # A save that still runs would write into the folder while it is deleted.
        save_task = self._save_tasks.pop(job.status.id, None)
        if save_task is not None:
            await save_task
        await asyncio.to_thread(self._store.delete, job.status.id)

    def _forget(self, job: Job) -> None:
        self._jobs.pop(job.status.id, None)
        self._by_key.pop(job.stored.key, None)
