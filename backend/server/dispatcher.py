"""Assigns jobs to workers: a bounded queue, one job per worker, cancellation, crashes."""

import asyncio
import logging
from collections import deque
from dataclasses import replace

from backend.server.bleaching import ReferenceBleaching
from backend.server.device_choice import DeviceChoice, read_number_format
from backend.server.jobs import Job, Jobs
from backend.server.model_list import ModelList
from backend.server.settings import Settings
from backend.server.store import read_result_fields
from backend.server.worker.handle import WorkerHandle, WorkerState
from backend.server.worker.messages import (
    Cancel,
    DevicesFound,
    Event,
    JobCancelled,
    JobDone,
    JobFailed,
    ListModels,
    Log,
    ModelsListed,
    Progress,
    Ready,
    ReferenceBleached,
    RunJob,
    WorkerExited,
)
from backend.server.worker.process import WorkerConfig
from shared.devices.device_status import PROCESSOR, DeviceStatus, NumberFormat
from shared.errors import ErrorCode, LinewashError
from shared.paths import log_file, settings_file
from shared.protocol import JobState, JobStatus
from shared.stages import Stage

PROGRESS_RANGES = {
    Stage.PREPARE: (0.0, 0.1),
    Stage.CONDITION: (0.1, 0.2),
    Stage.DENOISE: (0.2, 0.8),
    Stage.DECODE: (0.8, 0.9),
    Stage.LAYERS: (0.9, 1.0),
}
"""The part of the progress bar, from 0 to 1, that each stage fills."""
_log = logging.getLogger(__name__)


class Dispatcher:
    """The queue in front of the workers.  All methods are called in the event loop."""

    def __init__(self, settings: Settings, jobs: Jobs) -> None:
        self._jobs, self._max_queued, self._grace_s = jobs, settings.max_queued, settings.cancel_grace_s
        self._queue: deque[Job] = deque()
        self.listing = ModelList(self._ask_for_models)
        self._closing = False
        self.devices = DeviceChoice(settings.devices, settings_file(settings.home), lambda: bool(self._outdated))
        self._outdated: set[WorkerHandle] = set()
        self.workers = [WorkerHandle(worker_config(settings, choice), self._on_event) for choice in self.devices.chosen]
        self.bleaching = ReferenceBleaching(self.workers)

    def start(self) -> None:
        """Start every worker, so that the first job need not wait for its model to load."""
        for worker in self.workers:
            worker.start()

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return len(self._queue)

    @property
    def idle(self) -> bool:
        """Whether no job is queued or running."""
        return not self._queue and all(worker.job is None for worker in self.workers)

    def check_room(self) -> None:
        """Raise LinewashError QUEUE_FULL when the queue is full."""
        if len(self._queue) >= self._max_queued:
            raise LinewashError(ErrorCode.QUEUE_FULL, "%d are waiting" % len(self._queue))

    def enqueue(self, job: Job) -> None:
        """Put a new job into the queue.  LinewashError QUEUE_FULL, UNKNOWN_MODEL or BAD_SETTING."""
        self.check_room()
        self.listing.check(job.stored.request)
        self._queue.append(job)
        self._assign_jobs()

    def cancel(self, job: Job) -> JobStatus:
        """Cancel a job: at once while it is queued, at its next step while it runs.  An ended job does not change."""
        if job in self._queue:
            self._queue.remove(job)
            self._jobs.finish(job, JobState.CANCELLED)
        elif not job.status.state.terminal and not job.cancel_wanted:
            job.cancel_wanted = True
            worker = next(worker for worker in self.workers if worker.job == job.status.id)
            worker.send(Cancel(job.status.id))
            asyncio.get_running_loop().call_later(self._grace_s, self._kill_if_unresponsive, worker, job)
        return job.status

    async def choose_device(self, choice: str) -> DeviceStatus:
        """Keep the painter's choice and start a worker for it, once no job runs.  Raises what ``DeviceChoice.choose`` does."""
        await self.devices.choose(choice)
        self._outdated = set(self.workers)
        self._assign_jobs()
        return self.devices.status()

    def close(self) -> None:
        """Fail unfinished jobs with INTERRUPTED, which also ends every long-poll, and kill the workers."""
        self._closing = True
        self._queue.clear()
        for job in self._jobs.all():
            self._jobs.finish(job, JobState.FAILED, error=LinewashError(ErrorCode.INTERRUPTED))
        for worker in self.workers:
            self.bleaching.fail(worker, LinewashError(ErrorCode.INTERRUPTED))
            worker.kill()

    def _ask_for_models(self) -> bool:
        worker = next((worker for worker in self.workers if worker.state is not WorkerState.DOWN), None)
        if worker is not None:
            worker.send(ListModels())
        return worker is not None

    def _assign_jobs(self) -> None:
        for worker in self.workers:
            if worker in self._outdated:
                self._replace(worker)
            elif self._queue and worker.state is WorkerState.READY:
                self._start_job(worker, self._queue.popleft())
            elif self._queue and worker.state is WorkerState.DOWN:
                worker.start()

    def _replace(self, worker: WorkerHandle) -> None:
        """Start a worker for the choice of devices as it is now.  One that runs a job is left alone until that has ended."""
        if worker.state in (WorkerState.STARTING, WorkerState.READY):
            worker.stop()
        elif worker.state is WorkerState.DOWN:
            self._outdated.discard(worker)
            worker.config = replace(worker.config, device=self.devices.chosen[0], failed=None)
            worker.start()

    def _start_job(self, worker: WorkerHandle, job: Job) -> None:
        worker.state, worker.job = WorkerState.BUSY, job.status.id
        job.change(replace(job.status, state=JobState.RUNNING, stage=Stage.PREPARE.value))
        worker.send(RunJob(job.status.id, self._jobs.store.folder(job.status.id), job.stored.request))

    def _kill_if_unresponsive(self, worker: WorkerHandle, job: Job) -> None:
        # By now the job may have ended, and the worker may run another one.
        if worker.job == job.status.id:
            _log.warning("the worker ignores the cancel of job %s and is killed", job.status.id)
            worker.kill()

    def _on_event(self, worker: WorkerHandle, event: Event) -> None:
        if isinstance(event, Log):
            logging.getLogger(event.name).log(event.level, "%s", event.text)
        elif self._closing:
            # All jobs have ended already.
            return
        elif isinstance(event, ModelsListed):
            self.listing.update(event.models)
        elif isinstance(event, DevicesFound):
            worker.device = event.report.used
            if worker not in self._outdated:
                self.devices.update(event.report)
        elif isinstance(event, Ready):
            self._on_ready(worker, event)
        elif isinstance(event, Progress):
            self._on_progress(self._jobs.get(event.job), event)
        elif isinstance(event, ReferenceBleached):
            self.bleaching.finish(event)
        elif isinstance(event, WorkerExited):
            self.bleaching.fail(worker, LinewashError(ErrorCode.WORKER_CRASHED, "exit code %s" % event.code))
            self._on_exit(worker, event)
        else:
            self._on_end(worker, event)

    def _on_ready(self, worker: WorkerHandle, event: Ready) -> None:
        if event.problem:
            _log.warning("model %s is not ready: %s", event.model, event.problem)
            self.listing.mark_failed(event.model, event.problem)
        if worker.state is WorkerState.STARTING:
            worker.state = WorkerState.READY
        self._assign_jobs()

    def _on_progress(self, job: Job, event: Progress) -> None:
        low, high = PROGRESS_RANGES[event.stage]
        fraction = event.step / event.steps if event.steps else 0.0
        # The bar never goes back, whatever order steps are reported in.
        status = replace(job.status, stage=event.stage.value, progress=max(job.status.progress, low + (high - low) * fraction))
        if event.stage is Stage.DENOISE and event.steps:
            status = replace(status, step=event.step, steps=event.steps)
        if event.preview is not None:
            job.preview = event.preview
            status = replace(status, preview=status.preview + 1)
        job.change(status)

    def _on_end(self, worker: WorkerHandle, event: JobDone | JobFailed | JobCancelled) -> None:
        job = self._jobs.get(event.job)
        worker.state, worker.job = WorkerState.READY, None
        if isinstance(event, JobDone):
            self.listing.mark_ok(job.stored.request.model)
            self._finish(job)
        elif isinstance(event, JobCancelled):
            self._jobs.finish(job, JobState.CANCELLED)
        else:
            self._jobs.finish(job, JobState.FAILED, error=LinewashError(event.code, event.detail))
        self._assign_jobs()

    def _on_exit(self, worker: WorkerHandle, event: WorkerExited) -> None:
        was_starting, job_id = worker.state is WorkerState.STARTING, worker.job
        was_stopped, worker.state, worker.job = worker.state is WorkerState.STOPPING, WorkerState.DOWN, None
        if was_stopped:
            self._assign_jobs()
            return
        _log.error("worker ended with exit code %s", event.code)
        is_cards_fault = is_crash_of_card(worker, event.code)
        if is_cards_fault:  # the next one computes on the processor, and results say so
            worker.config = replace(worker.config, device=PROCESSOR, failed=self.devices.report_crash(worker.device))
        error = LinewashError(ErrorCode.WORKER_CRASHED, "exit code %s" % event.code)
        if job_id is not None:
            job = self._jobs.get(job_id)
            if job.cancel_wanted:
                self._jobs.finish(job, JobState.CANCELLED)
            elif self._jobs.store.has_result(job_id):
                # It died after the result was complete.
                self._finish(job)
            else:
                self._jobs.finish(job, JobState.FAILED, error=error)
            worker.start()  # so that the model is loaded again before the next job
        elif is_cards_fault:
            worker.start()
        elif was_starting and self._queue:  # each failed start fails one job, so restarts come to an end
            self._jobs.finish(self._queue.popleft(), JobState.FAILED, error=error)
        self._assign_jobs()

    def _finish(self, job: Job) -> None:
        try:
            fields = read_result_fields(self._jobs.store.folder(job.status.id))
        except (OSError, ValueError, KeyError) as error:  # the files were removed or changed in the meantime
            self._jobs.finish(job, JobState.FAILED, error=LinewashError(ErrorCode.INTERNAL, "result: %s" % error))
        else:
            self._jobs.finish(job, JobState.DONE, **fields)


def is_crash_of_card(worker: WorkerHandle, code: int | None) -> bool:
    """Whether a worker was probably ended by a graphics card's driver: by a signal while it used a card, or looked for one.

    SIGKILL is none of a driver's: the system sends it where main memory is full, and the server to a worker that hangs.
    """
    uses_card = worker.device != PROCESSOR if worker.device else worker.config.device != PROCESSOR
    is_crash = code is not None and (code >= 0xC0000000 or (code < 0 and code != -9))  # Windows reports crashes as large codes
    return is_crash and uses_card


def worker_config(settings: Settings, choice: str) -> WorkerConfig:
    """What the worker for a choice of a device is started with."""
    is_automatic = settings.number_format is NumberFormat.AUTOMATIC
    return WorkerConfig(
        device=choice,
        failed=None,
        number_format=read_number_format(settings_file(settings.home)) if is_automatic else settings.number_format,
        registry=settings.registry,
        preload=settings.preload,
        models=settings.models,
        threads=settings.threads_per_worker,
        crash_log=log_file(settings.home).with_name("crash.log"),
    )
