"""Waiting for jobs in tests."""

import time
import uuid
from collections.abc import Callable

from shared.client import Client
from shared.multipart import Part
from shared.protocol import ColorizeRequest, JobStatus
from tests.api.images import parts as parts_of
from tests.api.images import to_request_parts


def send(client: Client, wanted: ColorizeRequest, images: dict[str, Part] | None = None, key: str = "") -> JobStatus:
    """Submit with fitting images and a fresh key unless given."""
    return client.submit(wanted, to_request_parts(parts_of(wanted) if images is None else images), key or uuid.uuid4().hex)


def last(client: Client, job: JobStatus) -> JobStatus:
    """The terminal status of a job."""
    status = job
    for newer in client.follow(job.id):
        status = newer
    return status


def until(client: Client, job: JobStatus, wanted: Callable[[JobStatus], bool], seconds: float = 120.0) -> JobStatus:
    """The first status that is as wanted."""
    status, limit = client.status(job.id), time.monotonic() + seconds
    while not wanted(status):
        assert time.monotonic() < limit and not status.state.terminal, status
        status = client.status(job.id, after=status.revision, wait_s=1.0)
    return status
