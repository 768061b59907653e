"""Jobs on disk: ``<home>/jobs/<id>/`` with inputs, state and, once it is complete, the result.

    request.json      the request (``StoredJob`` without its status)
    state.json        the last ``JobStatus`` that was saved
    inputs/           the PNG parts; removed when the job ends
    result/           layers and result.json; appears by one rename: a job that was running and has one is done

A result must survive a power cut.  So it is flushed to disk, with the request and state beside it, before the rename that
makes it visible.  A queued job need not survive: after a restart it would fail as interrupted anyway.
"""

import contextlib
import json
import logging
import re
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shared.atomic_file import flush_to_disk, replace_atomically
from shared.errors import ErrorCode, LinewashError
from shared.protocol import LAYER_LINES, LAYERS, ColorizeRequest, JobState, JobStatus

_JOB_ID = re.compile(r"[0-9a-f]{32}")
_INCOMING = "incoming-"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredJob:
    """A job as it is on disk."""

    request: ColorizeRequest
    key: str
    """The idempotency key."""
    digest: str
    """Hash of the request and all its parts."""
    created: float
    """Seconds since 1970."""
    status: JobStatus
    """Its state when it was last written."""


class Store:
    """The folder of jobs.  Methods block on the disk and raise OSError, ENOSPC when it is full."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def folder(self, job: str) -> Path:
        """The folder of a job."""
        return self._folder / job

    def new_incoming(self) -> Path:
        """A fresh folder for parts that are still arriving."""
        folder = self._folder / (_INCOMING + uuid.uuid4().hex)
        for part in (folder, folder / "inputs"):
            part.mkdir(mode=0o700)
        return folder

    def admit(self, incoming: Path, job: StoredJob) -> None:
        """Turn a received folder into the job's folder."""
        content = {"request": job.request.to_json(), "key": job.key, "digest": job.digest, "created": job.created}
        (incoming / "request.json").write_text(json.dumps(content), encoding="utf-8")
        (incoming / "state.json").write_text(json.dumps(job.status.to_json()), encoding="utf-8")
        # This makes it a job: a crash before leaves an incoming folder, which ``recover`` removes.
        incoming.rename(self.folder(job.status.id))

    def write_status(self, status: JobStatus) -> None:
        """Save the status for a restart."""
        write_json(self.folder(status.id) / "state.json", status.to_json())

    def drop_inputs(self, job: str) -> None:
        """Delete the parts of an ended job, and an unfinished result."""
        _remove(self.folder(job) / "inputs")
        _remove(self.folder(job) / "result.partial")

    def layer(self, job: str, name: str) -> Path:
        """Path of a result layer."""
        return self.folder(job) / "result" / (name + ".png")

    def has_result(self, job: str) -> bool:
        """Whether the job's layers are all there."""
        return _has_result(self.folder(job))

    def delete(self, job: str) -> None:
        """Delete a job and its result."""
        _remove(self.folder(job))

    def discard(self, incoming: Path) -> None:
        """Delete parts that were refused."""
        _remove(incoming)

    def size(self, job: str) -> int:
        """Bytes that a job takes on disk."""
        return sum(path.stat().st_size for path in self.folder(job).rglob("*") if path.is_file())

    def recover(self) -> list[StoredJob]:
        """All jobs after a restart, oldest first: done if there is a result, else as they ended, else failed with INTERRUPTED.

        Half-written jobs of a killed server are removed; folders that are not jobs are left alone.
        """
        jobs: list[StoredJob] = []
        for folder in self._folder.iterdir():
            if folder.name.startswith(_INCOMING):
                _remove(folder)
            elif _JOB_ID.fullmatch(folder.name):
                try:
                    jobs.append(_recover_job(folder))
                except (OSError, ValueError, TypeError, KeyError, AttributeError, LinewashError) as error:
                    _log.warning("job %s cannot be read and is removed: %s", folder.name, error)
                    _remove(folder)
        for job in jobs:
            self.drop_inputs(job.status.id)
            with contextlib.suppress(
                OSError
            ):  # a full disk must not keep the server from starting; the next start repeats this
                self.write_status(job.status)
        return sorted(jobs, key=lambda job: job.created)


def write_result(folder: Path, layers: Mapping[str, bytes], warnings: tuple[str, ...], seconds: dict[str, float]) -> None:
    """Write the PNGs of all layers as ``folder``/result, whole or not at all.  Runs in the worker.

    OSError (ENOSPC when the disk is full) leaves nothing behind.
    """
    partial = folder / "result.partial"
    _remove(partial)
    try:
        partial.mkdir(mode=0o700)
        for name, png in layers.items():
            (partial / (name + ".png")).write_bytes(png)
        write_json(partial / "result.json", {"warnings": list(warnings), "seconds": seconds})
        # All content must be on the disk before the rename that makes it count.
        flush_to_disk(*partial.iterdir(), partial, folder / "request.json", folder / "state.json")
        partial.rename(folder / "result")
    except OSError:
        _remove(partial)
        raise
    # The renames themselves, of the result and earlier of the job's folder, are on the disk after this.
    flush_to_disk(folder, folder.parent)


def read_result_fields(folder: Path) -> dict[str, Any]:
    """The fields of ``JobStatus`` that the result in ``folder`` determines."""
    result = _read_json(folder / "result" / "result.json")
    return {
        "progress": 1.0,
        "layers": LAYERS + ((LAYER_LINES,) if (folder / "result" / (LAYER_LINES + ".png")).is_file() else ()),
        "warnings": tuple(result["warnings"]),
        "seconds": dict(result["seconds"]),
    }


def write_json(path: Path, data: Any) -> None:
    """Write JSON so that ``path`` holds the old or the new content, never half of one, whatever happens."""
    with replace_atomically(path) as part:
        part.write_text(json.dumps(data), encoding="utf-8")
        flush_to_disk(part)


def _recover_job(folder: Path) -> StoredJob:
    content = _read_json(folder / "request.json")
    status = JobStatus.from_json(_read_json(folder / "state.json"))
    if status.id != folder.name:
        raise ValueError("state of another job")
    has_result = _has_result(folder)
    if status.state is JobState.DONE and not has_result:
        raise ValueError("layers are missing")
    if not status.state.terminal and has_result:
        status = replace(status, state=JobState.DONE, revision=status.revision + 1, **read_result_fields(folder))
    elif not status.state.terminal:
        error = LinewashError(ErrorCode.INTERRUPTED)
        status = replace(status, state=JobState.FAILED, revision=status.revision + 1, error=error)
    request = ColorizeRequest.from_json(content["request"])
    return StoredJob(request, str(content["key"]), str(content["digest"]), float(content["created"]), status)


def new_job(request: ColorizeRequest, key: str, digest: str) -> StoredJob:
    """A queued job with a fresh id."""
    status = JobStatus(uuid.uuid4().hex, JobState.QUEUED, steps=request.steps, model=request.model, seed=request.seed)
    return StoredJob(request, key, digest, time.time(), status)


def _has_result(folder: Path) -> bool:
    return all((folder / "result" / (name + ".png")).is_file() for name in LAYERS)


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
